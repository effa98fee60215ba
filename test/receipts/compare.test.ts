/** Receipts of two parties: the first link at which they differ. */
import { load, type Engine } from "im2row";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareReceipts } from "../../src/receipts/compare.ts";
import { receiptWith } from "./faulty.ts";

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

describe("compareReceipts", () => {
  it("finds no difference between two runs of the same, whatever their links", async () => {
    const [a, b] = [await receiptWith(engine), await receiptWith(engine, { every: 3 })];
    expect(compareReceipts(a, a)).toBeUndefined();
    expect(compareReceipts(a, b)).toBeUndefined();
  });

  it.each([
    // A link after every second step of ten; of two receipts with different links, those steps of which both have one count.
    [1, 2, 2, [0, 2]],
    [5, 2, 2, [4, 6]],
    [6, 2, 2, [4, 6]],
    [7, 2, 4, [4, 8]],
    [5, 2, 3, [0, 6]],
    [10, 2, 2, [8, 10]],
    [9, 20, 20, [0, 10]],
  ] as const)(
    "finds where a run parts whose step %i went wrong, with links every %i and %i",
    async (wrong, own, other, between) => {
      const a = await receiptWith(engine, { every: own });
      const b = await receiptWith(engine, { every: other, wrong });
      const digest = (receipt: typeof a): string =>
        between[1] === receipt.steps
          ? receipt.digest
          : receipt.links.digests[between[1] / receipt.links.every - 1]!;
      expect(compareReceipts(a, b)).toEqual({ between, digests: [digest(a), digest(b)] });
      expect(compareReceipts(b, a)).toEqual({ between, digests: [digest(b), digest(a)] });
    },
  );

  it("refuses receipts of different runs by what differs, and those that begin otherwise", async () => {
    const a = await receiptWith(engine);
    expect(() => compareReceipts(a, { ...a, numerics: a.numerics + 1 })).toThrow(
      `compareReceipts: expected receipts of one run, got numerics: ${a.numerics} and ${a.numerics + 1}`,
    );
    expect(() => compareReceipts(a, { ...a, data: { ...a.data, samples: 79 } })).toThrow(
      "compareReceipts: expected receipts of one run, got data: ",
    );
    const seeded = await receiptWith(engine, { seed: 4 });
    expect(() => compareReceipts(a, seeded)).toThrow(
      "compareReceipts: expected receipts of one run, got architecture: ",
    );
    const digest = "0".repeat(64);
    expect(() => compareReceipts(a, { ...a, start: { ...a.start, digest } })).toThrow(
      `compareReceipts: expected receipts that begin with the same state, got ${a.start.digest} after step 0 and ${digest} after step 0`,
    );
  });
});
