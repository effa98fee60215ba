/** Optimizers on gradients that are given: against PyTorch, and against the papers in float64. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  TrainingError,
  type Engine,
  type Optimizer,
} from "../../src/index.ts";
import type { Flag } from "../../src/kernels/kernels.ts";
import { KeptRegion } from "../../src/runtime/region.ts";
import { lamb, lion, type LambState } from "../oracles/optimizer.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { readGolden } from "../support/golden.ts";
import { noise, weightBits } from "../support/model.ts";
import { random } from "../support/random.ts";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const golden = readGolden(
  "optimizers",
  readFileSync(new URL("../goldens/optimizers.safetensors", import.meta.url)),
);

/** A run of an optimizer on one weight in memory. */
class Bench {
  readonly #region = new KeptRegion(engine.runtime.heap, "test");
  readonly #w: number;
  readonly #g: number;
  readonly #slots: number[];
  readonly #run;
  readonly #n: number;
  readonly #rate: number;

  constructor(optimizer: Optimizer, start: Float32Array) {
    this.#n = start.length;
    this.#w = this.#region.put(start);
    this.#g = this.#region.zeros(this.#n);
    this.#slots = optimizer.slots.map(() => this.#region.zeros(this.#n));
    this.#run = optimizer.start();
    this.#rate = optimizer.learningRate as number;
  }

  #read(at: number): Float32Array {
    return engine.runtime.heap.floats.slice(at >>> 2, (at >>> 2) + this.#n);
  }

  get weights(): Float32Array {
    return this.#read(this.#w);
  }

  get slots(): Float32Array[] {
    return this.#slots.map((at) => this.#read(at));
  }

  /** Makes ready for a step, and computes it without storing it. */
  prepare(t: number, gradient: ArrayLike<number>): boolean {
    engine.runtime.heap.floats.set(gradient, this.#g >>> 2);
    this.#run.begin?.(t);
    return this.#step(0);
  }

  #step(commit: Flag): boolean {
    return this.#run.step(engine.runtime, this.#w, this.#g, this.#slots, this.#n, this.#rate, commit);
  }

  step(t: number, gradient: ArrayLike<number>): void {
    expect(this.prepare(t, gradient)).toBe(true);
    expect(this.#step(1)).toBe(true);
  }

  release(): void {
    this.#region.release();
  }
}

const { rmsprop, adagrad } = optimizers;

describe("as PyTorch, ten steps of", () => {
  // The options of OPTIMIZERS in test/goldens/make.py.
  it.each<[string, Optimizer]>([
    ["rmsprop", rmsprop({ learningRate: 0.02, rho: 0.9, epsilon: 1e-6 })],
    ["rmspropMomentum", rmsprop({ learningRate: 0.01, rho: 0.8, epsilon: 1e-5, momentum: 0.9 })],
    [
      "rmspropCentered",
      rmsprop({ learningRate: 0.01, epsilon: 1e-4, momentum: 0.5, centered: true, weightDecay: 0.1 }),
    ],
    ["adagrad", adagrad({ learningRate: 0.1, initialAccumulatorValue: 0 })],
    ["adagradInitial", adagrad({ learningRate: 0.05, epsilon: 1e-6, weightDecay: 0.1 })],
  ])("%s", (name, optimizer) => {
    const bench = new Bench(optimizer, golden.get("start").data);
    const { data } = golden.get("gradients");
    for (let t = 0; t < 10; t++) bench.step(t, data.subarray(19 * t, 19 * (t + 1)));
    const expected = golden.get(name).data;
    expectWithin(bench.weights, expected, (i) => 4 * golden.error(name) + 2 * U * Math.abs(expected[i]!));
    bench.release();
  });
});

const STEPS = 6;

describe.each([1, 2, 3, 4, 5, 17, 33])("as the paper, in float64, %i weights under", (n) => {
  it.each([0, 0.1])("lion with decay %f", (weightDecay) => {
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.99, weightDecay };
    const data = random(n);
    const start = data.uniform(n);
    const bench = new Bench(optimizers.lion(options), start);
    let exact = Array.from(start, (w) => ({ w, m: 0 }));
    for (let t = 0; t < STEPS; t++) {
      // One sign for each weight: a sum next to zero would have either.
      const g = data.uniform(n, 0.25, 1).map((value, i) => (i % 3 === 0 ? -value : value));
      bench.step(t, g);
      exact = exact.map(({ w, m }, i) => lion(w, g[i]!, m, options));
    }
    // |w| ≤ 1.1: a step rounds the decayed weight, the direction, their product and the difference, and the options.
    expectWithin(
      bench.weights,
      exact.map(({ w }) => w),
      () => STEPS * (2 * U + 0.01 * 6 * U),
    );
    // Five roundings a step of a mean that grows to no more than 6 % of 1.
    expectWithin(
      bench.slots[0]!,
      exact.map(({ m }) => m),
      () => STEPS * 5 * U * 0.06,
    );
    bench.release();
  });

  it.each([0, 0.1])("lamb with decay %f", (weightDecay) => {
    const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay };
    const data = random(n + 7);
    const start = data.uniform(n, 0.5, 1);
    const bench = new Bench(optimizers.lamb(options), start);
    let exact: LambState = { w: [...start], m: Array.from(start, () => 0), v: Array.from(start, () => 0) };
    for (let t = 1; t <= STEPS; t++) {
      const g = data.uniform(n, 0.25, 1);
      bench.step(t - 1, g);
      exact = lamb(exact, g, t, options);
    }
    // As of Adam in test/kernels/optimizer.test.ts: relative errors of m below (4·STEPS)u and of v (6·STEPS)u, of u their
    // sum and 8 roundings, as much again in its length; a step is at most 0.01·‖w‖ ≤ 0.01·√n, and |u| below 2‖u‖ / √n.
    const ofU = (4 * STEPS + 6 * STEPS + 8) * U;
    expectWithin(bench.weights, exact.w, () => STEPS * (0.01 * 2 * (2 * ofU + 6 * U) + 2 * U));
    bench.release();
  });
});

const ALL: [string, () => Optimizer][] = [
  ["sgd", () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 })],
  ["adam", () => optimizers.adam({ weightDecay: 0.1 })],
  ["adamw", () => optimizers.adamw()],
  ["rmsprop", () => rmsprop({ momentum: 0.9, centered: true, weightDecay: 0.1 })],
  ["rmsprop without a mean", () => rmsprop({ momentum: 0.9 })],
  ["rmsprop without momentum", () => rmsprop({ centered: true })],
  ["adagrad", () => adagrad({ weightDecay: 0.1 })],
  ["lion", () => optimizers.lion({ weightDecay: 0.1 })],
  ["lamb", () => optimizers.lamb({ weightDecay: 0.1 })],
];

describe.each(ALL)("%s", (_, make) => {
  const places = [0, 3, 4, 7, 8, 10].flatMap((at) => [NaN, Infinity, -Infinity].map((bad) => ({ at, bad })));

  it.each(places)("refuses $bad at $at, and stores nothing without commit", ({ at, bad }) => {
    const bench = new Bench(make(), random(3).uniform(11));
    const healthy = random(4).uniform(11);
    bench.step(0, healthy);
    const before = [bench.weights, ...bench.slots].map(bitsOf);
    expect(
      bench.prepare(
        1,
        healthy.map((value, i) => (i === at ? bad : value)),
      ),
    ).toBe(false);
    expect(bench.prepare(1, healthy)).toBe(true);
    expect([bench.weights, ...bench.slots].map(bitsOf)).toEqual(before);
    bench.release();
  });

  it("gives an element its bits wherever it lies", () => {
    // LAMB's ratio of all of them is the same for every tail when they are alike.
    const bits = [1, 2, 3, 4, 5, 16, 17, 33].map((n) => {
      const bench = new Bench(make(), new Float32Array(n).fill(0.7));
      for (let t = 0; t < 3; t++) bench.step(t, new Float32Array(n).fill(0.3 - 0.2 * t));
      const all = [...new Set(bitsOf(bench.weights))];
      bench.release();
      return all;
    });
    for (const found of bits) expect(found).toEqual(bits[0]);
  });

  it("has the same bits at any number of threads, and depends on no state but its slots", async () => {
    const run = (on: Engine): Int32Array[] => {
      const model = sequential({
        inputShape: [9, 8, 3],
        layers: [
          layers.conv2d({ filters: 13, kernelSize: 3, activation: "tanh" }),
          layers.flatten(),
          layers.dense({ units: 5 }),
        ],
        seed: 2,
      });
      model.compile({ engine: on, optimizer: make(), loss: losses.softmaxCrossEntropy() });
      for (let step = 0; step < 4; step++) model.trainOnBatch(noise(step, 3, 9, 8, 3), [0, 4, 2]);
      const bits = Object.values(weightBits(model));
      model.dispose();
      return bits;
    };
    const one = run(engine);
    for (const threads of [2, 3]) await withThreads(threads, (on) => expect(run(on)).toEqual(one));
  });
});

describe("lamb", () => {
  it("takes the plain step of a weight of length 0, and where the step has none", () => {
    const options = { learningRate: 0.25, beta1: 0, beta2: 0, epsilon: 2 ** -20 };
    const zero = new Bench(optimizers.lamb(options), new Float32Array(5));
    zero.step(0, [1, 1, 1, 1, 1]);
    // u = 1 / (1 + 2⁻²⁰), which the ratio of lengths would have made 0.
    expectWithin(
      zero.weights,
      [0, 0, 0, 0, 0].map(() => -0.25 / (1 + 2 ** -20)),
      () => 2 * U,
    );
    zero.release();
    const still = new Bench(optimizers.lamb(options), Float32Array.of(1, 2, 3));
    still.step(0, [0, 0, 0]);
    expect([...still.weights]).toEqual([1, 2, 3]);
    still.release();
  });

  it("scales each weight of a net by its own lengths", () => {
    const model = sequential({ inputShape: [4], layers: [layers.dense({ units: 3 })], seed: 1 });
    const kernel = model.weights.get("dense.kernel")!;
    // A bias of length 0.1 beside a kernel a hundred times as long: steps are a share of each.
    model.setWeights(
      new Map([
        ["dense.kernel", kernel],
        ["dense.bias", { shape: [3], data: Float32Array.of(0.001, 0.002, 0.002) }],
      ]),
    );
    const before = model.weights;
    model.compile({
      engine,
      optimizer: optimizers.lamb({ learningRate: 0.125 }),
      loss: losses.softmaxCrossEntropy(),
    });
    model.trainOnBatch(noise(1, 2, 4), [0, 2]);
    const size = (values: Float32Array): number => Math.hypot(...values);
    for (const [name, { data }] of model.weights) {
      const start = before.get(name)!.data;
      const moved = size(data.map((value, i) => value - start[i]!));
      expect(moved / size(start), name).toBeCloseTo(0.125, 4);
    }
    model.dispose();
  });
});

describe("rmsprop", () => {
  it("takes no root of a variance that rounding makes negative", () => {
    const bench = new Bench(rmsprop({ centered: true, rho: 0.5, epsilon: 1 }), new Float32Array(64));
    const gradients = random(5).uniform(64, 0.1, 0.2);
    for (let t = 0; t < 60; t++) bench.step(t, gradients);
    const [square, mean] = bench.slots as [Float32Array, Float32Array];
    const variances = square.map((value, i) => value - Math.fround(mean[i]! * mean[i]!));
    expect(Math.min(...variances)).toBeLessThan(0);
    bench.release();
  });
});

it("a step of lamb that overflows in a net changes nothing", () => {
  const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })], seed: 1 });
  model.setWeights(
    new Map(
      [...model.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 100) }]),
    ),
  );
  // A step is as long as the rate times the weight.
  const optimizer = optimizers.lamb({ learningRate: 3e38 });
  model.compile({ engine, optimizer, loss: losses.meanSquaredError() });
  const before = weightBits(model);
  expect(() => model.trainOnBatch(noise(1, 2, 2), noise(2, 2, 2))).toThrow(TrainingError);
  expect(weightBits(model)).toEqual(before);
  model.dispose();
});
