/** Short soaks, the leaks that they have to find, and the slope that tells. */
import { describe, expect, it } from "vitest";
import { random } from "../support/random.ts";
import { judge, theilSen } from "./slope.ts";
import { soak } from "./soak.ts";
import { BATCH_BYTES, MOST_ALIVE, soakStream } from "./stream.ts";

const CYCLES = 24;
const more = (cycles: number): boolean => cycles < CYCLES;
const grown = (verdicts: Awaited<ReturnType<typeof soak>>["verdicts"]): string[] =>
  verdicts.filter(({ grows }) => grows).map(({ measure }) => measure.name);

describe(`${CYCLES} cycles`, () => {
  it("of everything keep nothing", { timeout: 300_000 }, async () => {
    const { cycles, verdicts } = await soak({ more });
    expect(cycles).toBe(CYCLES);
    // The engine's own figures are exact in so short a run; the others need long ones.
    expect(grown(verdicts).filter((name) => name.startsWith("linear"))).toEqual([]);
  });

  it("that forget a model each are told by the memory that grows", { timeout: 300_000 }, async () => {
    const { verdicts } = await soak({ more, leak: true });
    expect(grown(verdicts)).toContain("linear, used");
  });
});

describe("a stream", () => {
  it(
    "of generated images keeps one batch alive, and those that were made ahead",
    { timeout: 300_000 },
    async () => {
      const { bytes, alive, verdicts } = await soakStream({ bytes: 12 * BATCH_BYTES });
      expect(bytes).toBe(12 * BATCH_BYTES);
      expect(alive).toBeLessThan(MOST_ALIVE + 0.5);
      expect(alive).toBeGreaterThan(MOST_ALIVE - 0.5);
      expect(grown(verdicts).filter((name) => /^(linear|array)/.test(name))).toEqual([]);
    },
  );

  it("whose batches are all held is told by the memory that grows", { timeout: 300_000 }, async () => {
    const { alive, verdicts } = await soakStream({ bytes: 12 * BATCH_BYTES, leak: true });
    expect(alive).toBeGreaterThan(12 - 0.5);
    expect(grown(verdicts)).toContain("array buffers");
  });
});

describe("the slope", () => {
  const times = Array.from({ length: 100 }, (_, i) => i);
  const measure = { name: "test", unit: "B", per: "cycle", tolerance: 10, drift: 0 };

  it("is that of a line, whatever a few outliers are", () => {
    const line = times.map((t) => 5 + 2 * t);
    expect(theilSen(times, line)).toEqual({ slope: 2, low: 2, high: 2 });
    line[3] = 1e9;
    line[70] = -1e9;
    expect(theilSen(times, line)).toEqual({ slope: 2, low: 2, high: 2 });
  });

  it("is the median by hand", () => {
    // Slopes 1, 4/2 and 3 of the pairs of (0, 0), (1, 1), (2, 4).
    expect(theilSen([0, 1, 2], [0, 1, 4]).slope).toBe(2);
  });

  it("of noise is zero within its interval, for 95 of 100 seeds at least", () => {
    const flat = times.filter((seed) => {
      const { low, high } = theilSen(times, [...random(seed).uniform(100)]);
      return low <= 0 && high >= 0;
    });
    expect(flat.length).toBeGreaterThanOrEqual(95);
  });

  it("is growth when it is beyond noise and tolerance, in what comes after the warm-up", () => {
    const noisy = (slope: number): number[] => times.map((t) => 1000 + slope * t + random(t).uniform(1)[0]!);
    expect(judge(measure, times, noisy(1)).grows).toBe(true);
    expect(judge(measure, times, noisy(0)).grows).toBe(false);
    expect(judge(measure, times, noisy(0.1)).grows).toBe(false);
    expect(judge(measure, times, noisy(-1)).grows).toBe(false);
    expect(judge({ ...measure, drift: 0.5 }, times, noisy(1)).grows).toBe(true);
    expect(judge({ ...measure, drift: 0.9 }, times, noisy(1)).grows).toBe(false);
    expect(
      judge(
        measure,
        times,
        times.map((t) => Math.min(t, 33)),
      ).grows,
    ).toBe(false);
  });
});
