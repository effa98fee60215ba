/** SHA-256: by WebCrypto where there is one and it pays, else by JavaScript. */

/** From so many bytes on WebCrypto, which hashes on a thread of its own, makes up for the promise that it takes. */
const WORTH_A_PROMISE = 4096;

const BLOCK = 64;

/** The first 32 bits behind the point of the `degree`-th root of a number. */
function fractionOfRoot(number: number, degree: bigint): number {
  let root = 0n;
  // Numbers up to 311, whose square and cube roots are below 2^5.
  for (let bit = 1n << 36n; bit > 0n; bit >>= 1n) {
    if ((root + bit) ** degree <= BigInt(number) << (32n * degree)) root += bit;
  }
  return Number(BigInt.asIntN(32, root));
}

/** The constants of FIPS 180-4: what the state begins with, and one for each round, from the first 64 primes. */
interface Constants {
  readonly start: Int32Array;
  readonly rounds: Int32Array;
}

let made: Constants | undefined;

function constants(): Constants {
  const primes: number[] = [];
  for (let n = 2; primes.length < BLOCK; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return {
    start: Int32Array.from(primes.slice(0, 8), (prime) => fractionOfRoot(prime, 2n)),
    rounds: Int32Array.from(primes, (prime) => fractionOfRoot(prime, 3n)),
  };
}

const words = new Int32Array(BLOCK);

/** Takes the blocks of some bytes, as many as are whole, into the state. */
function compress(state: Int32Array, bytes: Uint8Array, rounds: Int32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const w = words;
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < BLOCK; i++) {
      const x = w[i - 15]!;
      const y = w[i - 2]!;
      const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16]! + low + w[i - 7]! + high) | 0;
    }
    let a = state[0]!;
    let b = state[1]!;
    let c = state[2]!;
    let d = state[3]!;
    let e = state[4]!;
    let f = state[5]!;
    let g = state[6]!;
    let h = state[7]!;
    for (let i = 0; i < BLOCK; i++) {
      const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (h + high + ((e & f) ^ (~e & g)) + rounds[i]! + w[i]!) | 0;
      const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  }
}

/** The digest of bytes, at once. */
function hash(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { start, rounds } = (made ??= constants());
  const state = start.slice();
  compress(state, bytes, rounds);
  const rest = bytes.length % BLOCK;
  const end = new Uint8Array(rest + 9 > BLOCK ? 2 * BLOCK : BLOCK);
  end.set(bytes.subarray(bytes.length - rest));
  end[rest] = 0x80;
  // The length in bits, in 64 of them.
  const view = new DataView(end.buffer);
  view.setUint32(end.length - 8, bytes.length / 2 ** 29);
  view.setUint32(end.length - 4, bytes.length << 3);
  compress(state, end, rounds);
  const digest = new DataView(new ArrayBuffer(32));
  for (let i = 0; i < state.length; i++) digest.setInt32(4 * i, state[i]!);
  return new Uint8Array(digest.buffer);
}

/** The digest of the bytes of all parts, one behind the other, at once. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return hash(parts[0]!);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return hash(whole);
}

/** The digest of bytes that stay as they are, or a promise of it. */
export function digestOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array | Promise<Uint8Array> {
  // Pages that were not loaded securely have no `subtle`.
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle;
  if (!subtle || bytes.length < WORTH_A_PROMISE) return hash(bytes);
  return subtle.digest("SHA-256", bytes).then((digest) => new Uint8Array(digest));
}

/** The digest of a text in UTF-8. */
export function textDigest(text: string): Uint8Array {
  return hash(new TextEncoder().encode(text));
}

/** The bytes of an array's numbers as they lie in memory: little endian, as on every host of WebAssembly. */
export function bytesIn({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Two hexadecimal digits for each byte. */
export function bytesToHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes that `bytesToHex` wrote. */
export function hexToBytes(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}
