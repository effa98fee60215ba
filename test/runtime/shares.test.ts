/**
 * A kernel fails when any one of its threads traps or refuses its share: each of them in turn does, and the others do
 * not.
 */
import { describe, expect, it } from "vitest";
import { Region } from "../../src/runtime/region.ts";
import { resizeTable } from "../../src/kernels/resizeTable.ts";
import { load, losses, optimizers, TrainingError, type Engine } from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

/** Rows, or cache lines of elements, of which each thread has as many. */
const EACH = 8;
const LINE = 16;

const THREADS = [2, 3, 5];
const SHARES = THREADS.flatMap((threads) =>
  Array.from({ length: threads }, (_, share) => [share, threads] as const),
);

/** Resizes an image of one column; the row in the middle of `share` is read from an address that is none. */
function trapIn({ runtime }: Engine, share: number, threads: number): void {
  const { kernels, heap } = runtime;
  const region = new Region(heap, "test");
  const rows = EACH * threads;
  const table = resizeTable(rows, rows, (i) => i);
  if (share >= 0) table[4 * (share * EACH + EACH / 2)] = 2 ** 29;
  const [source, column] = [region.put(table), region.put(resizeTable(1, 1, () => 0))];
  const [x, y] = [region.put(noise(1, rows).data), region.zeros(rows)];
  try {
    kernels.resizeForward(source, column, 1, rows, 1, 1, rows, 1, x, y);
    expect([...heap.floats.subarray(y >>> 2, (y >>> 2) + rows)]).toEqual([...noise(1, rows).data]);
  } finally {
    region.release();
  }
}

describe("a trap", () => {
  it.each(SHARES)(
    "in share %i of %i is that thread's failure, and ends the engine",
    async (share, threads) => {
      const engine = await load({ threads });
      const model = tinyNet();
      model.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
      const before = weightBits(model);
      const { used } = engine.memory;
      trapIn(engine, -1, threads);
      const who =
        share === 0 ? "resizeForward failed" : `resizeForward failed on thread ${share + 1} of ${threads}`;
      expect(() => trapIn(engine, share, threads)).toThrow(
        new RegExp(
          `^engine: expected all of its threads alive, got a failure \\(${who}: .*out of bounds.*; load a new engine$`,
        ),
      );
      // Every call refuses from then on, with the first reason; what needs no kernel works.
      for (const call of [
        () => trapIn(engine, -1, threads),
        () => engine.sumRows(noise(1, 2, 3)),
        () => model.predict(noise(1, 2, 7, 7, 3)),
        () => model.trainOnBatch(noise(1, 2, 7, 7, 3), [0, 1]),
      ]) {
        expect(call).toThrow(`(${who}: `);
      }
      await expect(model.fit(noise(1, 2, 7, 7, 3), [0, 1])).rejects.toThrow(`(${who}: `);
      expect(weightBits(model)).toEqual(before);
      expect(engine.memory.used).toBeGreaterThanOrEqual(used);
      model.dispose();
      expect(engine.memory.used).toBe(0);
      engine.dispose();
      const next = await load();
      model.compile({ engine: next });
      expect(model.predict(noise(1, 2, 7, 7, 3)).shape).toEqual([2, 3]);
      next.dispose();
    },
  );
});

describe("a refusal", () => {
  it.each(THREADS)("in any share of %i is the kernel's, and only that call's", async (threads) => {
    await withThreads(threads, ({ runtime }) => {
      const { kernels, heap } = runtime;
      const region = new Region(heap, "test");
      const size = EACH * LINE * threads;
      const [w, v] = [region.zeros(size), region.zeros(size)];
      const step = (bad: number, commit: boolean): number => {
        const gradient = new Float32Array(size).fill(1);
        if (bad >= 0) gradient[(bad * EACH + EACH / 2) * LINE] = NaN;
        return kernels.sgdStep(w, region.put(gradient), v, size, 0.5, 0.9, 0, false, commit);
      };
      for (let share = 0; share < threads; share++) {
        expect(step(share, false), `share ${share}`).toBe(0);
        expect(step(-1, false)).toBe(1);
      }
      expect(heap.floats.subarray(w >>> 2, (w >>> 2) + size).every((value) => value === 0)).toBe(true);
      expect(step(-1, true)).toBe(1);
      expect(heap.floats.subarray(w >>> 2, (w >>> 2) + size).every((value) => value === -0.5)).toBe(true);
      region.release();
    });
  });

  it.each(THREADS)(
    "of a training step on %i threads leaves the weights, and the next step is a step",
    async (threads) => {
      const training = { optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() };
      const [alone, shared] = [tinyNet(), tinyNet()];
      const one = await load();
      const engine = await load({ threads });
      alone.compile({ engine: one, ...training });
      shared.compile({ engine, ...training });
      const labels = [0, 1, 2, 0, 1];
      for (let image = 0; image < 5; image++) {
        const images = noise(image, 5, 7, 7, 3);
        alone.trainOnBatch(images, labels);
        shared.trainOnBatch(images, labels);
        const before = weightBits(shared);
        const broken = noise(image, 5, 7, 7, 3);
        broken.data[image * 7 * 7 * 3 + 70] = Infinity;
        expect(() => shared.trainOnBatch(broken, labels)).toThrow(TrainingError);
        expect(weightBits(shared)).toEqual(before);
        expect(before).toEqual(weightBits(alone));
      }
      one.dispose();
      engine.dispose();
    },
  );
});
