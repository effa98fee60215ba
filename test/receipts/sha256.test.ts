/** The hash of hosts without WebCrypto, held against that of Node. */
import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesToHex, digestOf, hexToBytes, sha256, textDigest } from "../../src/receipts/record/sha256.ts";
import { Random } from "im2row";

const random = new Random(19);
const drawn = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, () => Math.floor(random.uniform() * 256));
const expected = (...parts: readonly (Uint8Array | string)[]): string => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};

describe("SHA-256", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("has the digest of FIPS 180-4's example", () => {
    expect(bytesToHex(textDigest("abc"))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("is Node's for every length up to four blocks, and for long ones", () => {
    for (const length of [...Array(257).keys(), 4095, 4096, 100_000]) {
      const bytes = drawn(length);
      expect(bytesToHex(sha256(bytes)), `${length} bytes`).toBe(expected(bytes));
    }
  });

  it("is that of several parts behind each other, and of a part of a buffer", () => {
    const parts = [3, 0, 64, 31].map(drawn);
    expect(bytesToHex(sha256(...parts))).toBe(expected(...parts));
    const inner = drawn(300).subarray(7, 250);
    expect(bytesToHex(sha256(inner))).toBe(expected(inner));
  });

  it("is the same by WebCrypto and without", async () => {
    const bytes = drawn(5000);
    const digest = bytesToHex(await digestOf(bytes));
    expect(digest).toBe(expected(bytes));
    vi.stubGlobal("crypto", undefined);
    expect(bytesToHex(digestOf(bytes) as Uint8Array)).toBe(digest);
  });

  it("is written in hexadecimal digits, and read", () => {
    expect(bytesToHex(Uint8Array.of(0, 10, 255))).toBe("000aff");
    expect(hexToBytes("000aff")).toEqual(Uint8Array.of(0, 10, 255));
    expect(hexToBytes("")).toEqual(new Uint8Array(0));
  });
});
