import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import type { Guarded } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { adam, sgd } from "../oracles/optimizer.ts";
import type { AdamOptions, SgdOptions } from "../oracles/optimizer.ts";

const bench = openKernels();
const { kernels } = bench;
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 17];
const STEPS = 6;

/** A guarded buffer that starts with `data`. */
function buffer(data: Float32Array): Guarded {
  const place = guarded(bench, data.length);
  new Float32Array(bench.memory.buffer, place.ptr, data.length).set(data);
  return place;
}

function runSgd(w: Guarded, g: number, v: Guarded | null, n: number, o: SgdOptions, commit = true): boolean {
  const { learningRate, momentum, weightDecay, nesterov } = o;
  const state = v?.ptr ?? 0;
  const finite = kernels.sgdStep(w.ptr, g, state, n, learningRate, momentum, weightDecay, nesterov, commit);
  w.check();
  v?.check();
  return finite === 1;
}

interface AdamState {
  w: Guarded;
  m: Guarded;
  v: Guarded;
}

function runAdam(s: AdamState, g: number, n: number, t: number, o: AdamOptions, commit = true): boolean {
  const finite = kernels.adamStep(
    s.w.ptr,
    g,
    s.m.ptr,
    s.v.ptr,
    n,
    o.learningRate,
    o.beta1,
    o.beta2,
    o.epsilon,
    o.weightDecay,
    o.decoupled,
    1 - o.beta1 ** t,
    1 - o.beta2 ** t,
    commit,
  );
  for (const place of [s.w, s.m, s.v]) place.check();
  return finite === 1;
}

const sgdCases: SgdOptions[] = [
  { learningRate: 0.125, momentum: 0, weightDecay: 0, nesterov: false },
  { learningRate: 0.1, momentum: 0, weightDecay: 0.01, nesterov: false },
  { learningRate: 0.1, momentum: 0.9, weightDecay: 0, nesterov: false },
  { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: false },
  { learningRate: 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: true },
];

describe.each(sgdCases)(
  "SGD, rate $learningRate, momentum $momentum, decay $weightDecay, nesterov $nesterov",
  (options) => {
    it.each(SIZES)(`follows the float64 recurrence for ${STEPS} steps on %i weights`, (n) => {
      bench.reset();
      const data = random(n);
      const start = data.uniform(n);
      const w = buffer(start);
      const v = options.momentum === 0 ? null : buffer(new Float32Array(n));
      const exact = Array.from(start, (value) => ({ w: value, v: 0 }));
      for (let t = 1; t <= STEPS; t++) {
        const g = data.uniform(n);
        expect(runSgd(w, bench.put(g), v, n, options)).toBe(true);
        exact.forEach((state, i) => Object.assign(state, sgd(state.w, g[i] as number, state.v, options)));
      }
      // |w| ≤ 2, |g′| ≤ 1.02, |v| ≤ 1.02·STEPS. A step rounds v (3 operations and the rounded options: ≤ 6u·|v|),
      // then w (learningRate·4u·|step| + 2u), and inherits learningRate times the error of v: over STEPS steps
      // |error of v| ≤ STEPS·6u·|v|, nesterov's second use at most doubles it.
      const largest = 1.02 * STEPS;
      const ofV = STEPS * 6 * U * largest;
      const ofW = STEPS * (2 * U + options.learningRate * (4 * U * 2 * largest + 2 * ofV));
      expectWithin(
        w.f32(),
        exact.map((state) => state.w),
        () => ofW,
      );
      if (v)
        expectWithin(
          v.f32(),
          exact.map((state) => state.v),
          () => ofV,
        );
    });
  },
);

const adamCases: AdamOptions[] = [
  { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false },
  { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, decoupled: false },
  { learningRate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-7, weightDecay: 0.1, decoupled: true },
];

describe.each(adamCases)("Adam, beta2 $beta2, decay $weightDecay, decoupled $decoupled", (options) => {
  it.each(SIZES)(`follows the float64 recurrence for ${STEPS} steps on %i weights`, (n) => {
    bench.reset();
    const data = random(n + 50);
    const start = data.uniform(n);
    const zeros = new Float32Array(n);
    const state = { w: buffer(start), m: buffer(zeros), v: buffer(zeros) };
    const exact = Array.from(start, (value) => ({ w: value, m: 0, v: 0 }));
    for (let t = 1; t <= STEPS; t++) {
      // Positive gradients above 0.1·|w|: nothing cancels in m and v, so relative errors add up.
      const g = data.uniform(n, 0.25, 1);
      expect(runAdam(state, bench.put(g), n, t, options)).toBe(true);
      exact.forEach((old, i) => Object.assign(old, adam(old.w, g[i] as number, old.m, old.v, t, options)));
    }
    // g′ ≥ 0.13 of at most 1.12, rounded twice: relative error ≤ 10u, and w's own error adds as much again at most.
    // A step of m adds 4 roundings (2 products, their sum, the option), of v 6: relative errors ≤ (20 + 4·STEPS)u and
    // (40 + 6·STEPS)u. The step of w is learningRate·m̂/√v̂ with m̂/√v̂ ≤ 2: those errors (v's is halved by the
    // root) and 8 more roundings; the subtractions from |w| ≤ 1.1 add 3u a step.
    const ofM = (20 + 4 * STEPS) * U;
    const ofV = (40 + 6 * STEPS) * U;
    const ofW = STEPS * (options.learningRate * 2 * (ofM + ofV / 2 + 8 * U) + 3 * U);
    expectWithin(
      state.m.f32(),
      exact.map((s) => s.m),
      (i) => ofM * (exact[i]?.m as number),
    );
    expectWithin(
      state.v.f32(),
      exact.map((s) => s.v),
      (i) => ofV * (exact[i]?.v as number),
    );
    expectWithin(
      state.w.f32(),
      exact.map((s) => s.w),
      () => ofW,
    );
  });
});

describe("the dry run", () => {
  const sgdOptions: SgdOptions = { learningRate: 0.1, momentum: 0.9, weightDecay: 0, nesterov: true };
  const adamOptions = adamCases[0] as AdamOptions;

  // Every place of vector and tail; what makes the new value infinite or NaN.
  const places = [0, 3, 4, 7, 8, 9, 10].flatMap((at) =>
    [NaN, Infinity, -Infinity].map((bad) => ({ at, bad })),
  );

  it.each(places)("reports $bad at $at and stores nothing", ({ at, bad }) => {
    bench.reset();
    const n = 11;
    const data = random(9);
    const [w, m, v] = [0, 1, 2].map(() => buffer(data.uniform(n, 0, 1))) as [Guarded, Guarded, Guarded];
    const before = [w, m, v].map((place) => bitsOf(place.f32()));
    const healthy = data.uniform(n);
    const sick = healthy.map((value, i) => (i === at ? bad : value));
    const good = bench.put(healthy);
    const ill = bench.put(sick);
    expect(runSgd(w, good, v, n, sgdOptions, false)).toBe(true);
    expect(runSgd(w, ill, v, n, sgdOptions, false)).toBe(false);
    expect(runSgd(w, good, null, n, sgdOptions, false)).toBe(true);
    expect(runSgd(w, ill, null, n, sgdOptions, false)).toBe(false);
    expect(runAdam({ w, m, v }, good, n, 1, adamOptions, false)).toBe(true);
    expect(runAdam({ w, m, v }, ill, n, 1, adamOptions, false)).toBe(false);
    expect([w, m, v].map((place) => bitsOf(place.f32()))).toEqual(before);
  });

  it("sees state that overflows before the weights do", () => {
    bench.reset();
    const g = bench.put(Float32Array.of(1, 1e30, 1));
    const [w, m, v] = [0, 1, 2].map(() => buffer(new Float32Array(3))) as [Guarded, Guarded, Guarded];
    // g² is infinite and the step m / ∞ is 0.
    expect(runAdam({ w, m, v }, g, 3, 1, adamOptions, false)).toBe(false);
    const velocity = buffer(Float32Array.of(0, 3e38, 0));
    const steep = bench.put(Float32Array.of(0, 3e38, 0));
    const still = { ...sgdOptions, nesterov: false, learningRate: 0 };
    expect(runSgd(w, steep, velocity, 3, still, false)).toBe(false);
  });

  it("is the only thing that commit changes", () => {
    bench.reset();
    const w = buffer(Float32Array.of(1, 2, 3, 4, 5));
    const g = bench.put(Float32Array.of(1, 1, NaN, 1, 1));
    expect(runSgd(w, g, null, 5, { ...sgdOptions, learningRate: 0.5 }, true)).toBe(false);
    expect([...w.f32()]).toEqual([0.5, 1.5, NaN, 3.5, 4.5]);
  });
});

describe("vector tails", () => {
  it.each([1, 2, 3])("with %i elements give the bits of the vector body", (count) => {
    bench.reset();
    const data = random(77);
    const inputs = [0, 1, 2, 3].map(() => data.uniform(4, 0, 1)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const bits = (n: number): Int32Array[] => {
      const [w, m, v, g] = inputs.map((values) => buffer(values.slice(0, n))) as [
        Guarded,
        Guarded,
        Guarded,
        Guarded,
      ];
      runAdam({ w, m, v }, g.ptr, n, 2, adamCases[1] as AdamOptions);
      runSgd(w, g.ptr, m, n, sgdCases[4] as SgdOptions);
      return [w, m, v].map((place) => bitsOf(place.f32()).slice(0, count));
    };
    expect(bits(count)).toEqual(bits(4));
  });
});
