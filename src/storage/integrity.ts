/** Hashes of files as Subresource Integrity writes them: `sha256-` and the digest in base64. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { StorageError } from "../files/error.ts";

/** The digests by strength, with the characters that their base64 has. */
const ALGORITHMS = [
  { name: "sha512", digest: "SHA-512", length: 88 },
  { name: "sha384", digest: "SHA-384", length: 64 },
  { name: "sha256", digest: "SHA-256", length: 44 },
] as const;

/** Tells whether bytes are those of an integrity; its text is then the same, or else what they have instead. */
export interface Integrity {
  /** The hashes, of one algorithm, of which one must be that of the bytes. */
  readonly hashes: readonly string[];
  hashOf(bytes: Uint8Array): Promise<string>;
}

const toBase64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/**
 * Reads an integrity: hashes with spaces between, of which those of the strongest algorithm count, and one has to fit.
 * @throws OptionError for anything else, also what browsers would pass over; StorageError without WebCrypto
 */
export function readIntegrity(where: string, text: string): Integrity {
  const tokens = text.split(/\s+/).filter((token) => token !== "");
  const read = tokens.map((token) => {
    const [, name, hash] = /^(sha\d+)-([A-Za-z0-9+/]+={0,2})$/.exec(token) ?? [];
    const algorithm = ALGORITHMS.find((one) => one.name === name && one.length === hash?.length);
    if (!algorithm) {
      throw new OptionError(
        `${where}: integrity: expected "sha256-", "sha384-" or "sha512-" and a digest in base64, got ${show(token)}`,
      );
    }
    return { algorithm, token };
  });
  const strongest = ALGORITHMS.find((one) => read.some(({ algorithm }) => algorithm === one));
  if (!strongest)
    throw new OptionError(`${where}: integrity: expected a hash as "sha256-…", got ${show(text)}`);
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new StorageError(
      `${where}: integrity: expected a host with WebCrypto, got one without crypto.subtle: pages have it on https: and ` +
        "localhost alone",
    );
  }
  return {
    hashes: read.flatMap(({ algorithm, token }) => (algorithm === strongest ? [token] : [])),
    hashOf: async (bytes) =>
      `${strongest.name}-${toBase64(await subtle.digest(strongest.digest, bytes as BufferSource))}`,
  };
}

/** @throws StorageError unless the bytes have one of the hashes */
export async function checkIntegrity(
  place: string,
  { hashes, hashOf }: Integrity,
  bytes: Uint8Array,
): Promise<void> {
  const hash = await hashOf(bytes);
  if (!hashes.includes(hash)) {
    throw new StorageError(`${place}: expected bytes with the integrity ${hashes.join(" or ")}, got ${hash}`);
  }
}
