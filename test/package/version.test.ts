/** The versions that receipts tell. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import binary from "../../build/wasm.sha256.js";
import packageJson from "../../package.json" with { type: "json" };
import { NUMERICS, VERSION } from "../../src/version.ts";
import digests from "../conformance/digests.json" with { type: "json" };
import recorded from "../conformance/numerics.json" with { type: "json" };

describe("the version", () => {
  it("of the package is that of package.json", () => {
    expect(VERSION).toBe(packageJson.version);
  });

  it("of the binary is its SHA-256", () => {
    const bytes = readFileSync(new URL("../../build/im2row.wasm", import.meta.url));
    expect(binary).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  it("of the numerics rises when a digest changes: then numerics.json records the digests for the next version", () => {
    const known = Object.fromEntries(Object.entries(digests).filter(([name]) => name in recorded.digests));
    expect(NUMERICS).toBe(recorded.version);
    expect(known, "raise NUMERICS in src/version.ts, and record the digests of the new version").toEqual(
      recorded.digests,
    );
  });

  it("of the numerics knows all digests: those of what is new are recorded as they are", () => {
    const names = (of: object): string[] => Object.keys(of).sort();
    expect(names(recorded.digests), "record what is new in test/conformance/numerics.json").toEqual(
      names(digests),
    );
  });
});
