/** Milliseconds that the engine gets to compile its fastest code, and that one sample takes at least. */
const WARM_UP = 150;
const SAMPLE = 15;
const SAMPLES = 9;

function elapsed(run: () => unknown, times: number): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) run();
  return performance.now() - start;
}

/** The middle of `samples`; the upper one of two. */
export function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[samples.length >> 1]!;
}

/** Median milliseconds of one call, over samples of several calls each, after warming up. */
export function milliseconds(run: () => unknown): number {
  let calls = 0;
  const start = performance.now();
  while (performance.now() - start < WARM_UP) {
    run();
    calls++;
  }
  const perSample = Math.max(1, Math.round((calls * SAMPLE) / WARM_UP));
  return median(Array.from({ length: SAMPLES }, () => elapsed(run, perSample) / perSample));
}

/** Speed of a call that does `flops` multiplications and additions. */
export function gigaflops(flops: number, run: () => unknown): number {
  return flops / milliseconds(run) / 1e6;
}
