/** The chain of a receipt, which holds all of its parts together. */
import type { TrainingReceipt } from "../../training/receipt.ts";
import { canonical } from "./canonical.ts";
import { bytesToHex, hexToBytes, sha256, textDigest } from "./sha256.ts";

/** The first byte of what a link of the chain is hashed from. */
const LINK = Uint8Array.of(2);

/**
 * The end of the chain: it begins with the digest of the receipt's canonical JSON without `package`, `binary`, `links.digests`, `digest`
 * and `chain`; each link, and the last state as the last one, makes SHA-256 of the byte 2, the chain so far and the digest.
 */
export function chainOf(receipt: Omit<TrainingReceipt, "chain">): string {
  const { package: _package, binary: _binary, links, digest, ...rest } = receipt;
  const { chain: _chain, ...header } = rest as Partial<TrainingReceipt>;
  const start = textDigest(canonical({ ...header, links: { every: links.every } }));
  const end = [...links.digests, digest].reduce(
    (chain, each) => sha256(LINK, chain, hexToBytes(each)),
    start,
  );
  return bytesToHex(end);
}
