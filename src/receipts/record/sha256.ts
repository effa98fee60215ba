/** SHA-256: by WebCrypto where there is one and it pays, else by JavaScript. */
import hash from "../../../build/sha256.js";

/** From so many bytes on WebCrypto, which hashes on a thread of its own, makes up for the promise that it takes. */
const WORTH_A_PROMISE = 4096;

/** The digest of a few bytes, at once. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return hash(parts);
}

/** The digest of bytes that stay as they are, or a promise of it. */
export function digestOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array | Promise<Uint8Array> {
  // Pages that were not loaded securely have no `subtle`.
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (!subtle || bytes.length < WORTH_A_PROMISE) return hash([bytes]);
  return subtle.digest("SHA-256", bytes).then((digest) => new Uint8Array(digest));
}

/** The digest of a text in UTF-8. */
export function textDigest(text: string): Uint8Array {
  return hash([new TextEncoder().encode(text)]);
}

/** The bytes of an array's numbers as they lie in memory: little endian, as on every host of WebAssembly. */
export function bytesIn({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Two hexadecimal digits for each byte. */
export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes that `bytesToHex` wrote, from digits that were checked. */
export function hexToBytes(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
