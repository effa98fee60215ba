/** Several batches that make one step. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  tensor,
  TrainingError,
  type Engine,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { U } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";
import { splitEverything, withThreads } from "../support/threads.ts";

splitEverything();

const SHAPE = [6, 5, 2];
const loss = losses.softmaxCrossEntropy();

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const net = (rate = 0): Model =>
  sequential({
    inputShape: SHAPE,
    layers: [
      ...(rate > 0 ? [layers.randomContrast({ factor: 0.5, valueRange: [-2, 2] })] : []),
      layers.conv2d({ filters: 3, kernelSize: 3, activation: "tanh" }),
      ...(rate > 0 ? [layers.dropout({ rate })] : []),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
    seed: 4,
  });

const IMAGES = 8;
const [images, labels] = [noise(1, IMAGES, ...SHAPE), Int32Array.of(0, 2, 1, 1, 0, 2, 2, 1)];

/** Some of the images with their labels. */
function part(start: number, end: number): [Tensor, Int32Array] {
  const size = images.data.length / IMAGES;
  return [
    tensor(images.data.slice(start * size, end * size), [end - start, ...SHAPE]),
    labels.slice(start, end),
  ];
}

const SIZES = [2, 2, 1, 3];

function inParts(model: Model): void {
  let start = 0;
  for (const size of SIZES) {
    model.trainOnBatch(...part(start, start + size));
    start += size;
  }
}

const compile = (model: Model, gradientAccumulationSteps: number, on = engine): Model =>
  model.compile({
    engine: on,
    optimizer: optimizers.sgd({ learningRate: 0.5 }),
    loss,
    gradientAccumulationSteps,
  });

describe("batches of different sizes", () => {
  it.each([0, 0.3])(
    "make the step of one large batch but for rounding, dropout of %f and augmentation included",
    (rate) => {
      const [parts, whole] = [compile(net(rate), SIZES.length), compile(net(rate), 1)];
      const before = weightBits(parts);
      for (let round = 0; round < 2; round++) {
        inParts(parts);
        whole.trainOnBatch(images, labels);
      }
      expect(weightBits(parts)).not.toEqual(before);
      for (const [name, { data }] of parts.weights) {
        const expected = whole.weights.get(name)!.data;
        // Sums of at most 8·12 products below 1, in two orders, of two steps whose rate is 0.5.
        data.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(100 * 2 * U));
      }
      for (const each of [parts, whole]) each.dispose();
    },
  );

  it("change no weight before the last of them", () => {
    const model = compile(net(), 3);
    const before = weightBits(model);
    model.trainOnBatch(...part(0, 2));
    model.trainOnBatch(...part(2, 4));
    expect(weightBits(model)).toEqual(before);
    model.trainOnBatch(...part(4, 6));
    expect(weightBits(model)).not.toEqual(before);
    model.dispose();
  });

  it("have the bits of Σ n·g / Σ n in float32, one rounding after the other", () => {
    const model = compile(net(), 2);
    const [a, b] = [compile(net(), 1), compile(net(), 1)];
    const batches = [part(0, 3), part(3, 5)] as const;
    [a, b].forEach((each, i) => each.trainOnBatch(...batches[i]!));
    for (const batch of batches) model.trainOnBatch(...batch);
    const f32 = Math.fround;
    for (const [name, { data }] of model.gradients) {
      const [x, y] = [a, b].map((each) => each.gradients.get(name)!.data) as [Float32Array, Float32Array];
      const expected = x.map((g, i) => f32(f32(1 / 5) * f32(f32(3 * g) + f32(2 * y[i]!))));
      expect(data, name).toEqual(expected);
    }
    for (const each of [model, a, b]) each.dispose();
  });

  it("have the same bits at any number of threads", async () => {
    const run = (on: Engine): object => {
      const model = compile(net(0.2), SIZES.length, on);
      inParts(model);
      const bits = weightBits(model);
      model.dispose();
      return bits;
    };
    const one = run(engine);
    for (const threads of [2, 3]) await withThreads(threads, (on) => expect(run(on)).toEqual(one));
  });
});

it("in fit, steps are those of the optimizer; what waits goes on in the next epoch and the next call", async () => {
  const steps: number[] = [];
  const options = {
    batchSize: 2,
    shuffle: false,
    onBatchEnd: ({ step }: { step: number }) => steps.push(step),
  };
  const rates: number[] = [];
  const learningRate = (step: number): number => {
    rates.push(step);
    return 0.1;
  };
  const [once, twice] = [net(), net()];
  for (const model of [once, twice]) {
    model.compile({
      engine,
      optimizer: optimizers.adam({ learningRate }),
      loss,
      gradientAccumulationSteps: 3,
    });
  }
  await once.fit(images, labels, { ...options, epochs: 2 });
  expect(steps).toEqual([0, 0, 1, 1, 1, 2, 2, 2]);
  expect(rates).toEqual([0, 1]);
  await twice.fit(images, labels, options);
  await twice.fit(images, labels, options);
  expect(weightBits(twice)).toEqual(weightBits(once));
  for (const model of [once, twice]) model.trainOnBatch(images, labels);
  expect(weightBits(twice)).toEqual(weightBits(once));
  for (const model of [once, twice]) model.dispose();
});

it("a step that is refused forgets what waited, and the next begins anew", () => {
  let overflow = false;
  const make = (): Model => {
    const model = net();
    // Beyond float32, times the rate below.
    model.layers[0]!.learningRateMultiplier = 10;
    return model.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: () => (overflow ? 3.4e38 : 0.5) }),
      loss,
      gradientAccumulationSteps: 2,
    });
  };
  const [model, fresh] = [make(), make()];
  const before = weightBits(model);
  const [x, y] = part(0, 2);
  model.trainOnBatch(x, y);
  overflow = true;
  expect(() => model.trainOnBatch(x, y)).toThrow(TrainingError);
  expect(weightBits(model)).toEqual(before);
  overflow = false;
  for (const each of [model, fresh]) {
    for (const at of [0, 2]) each.trainOnBatch(...part(at, at + 2));
  }
  expect(weightBits(model)).toEqual(weightBits(fresh));
  expect(weightBits(model)).not.toEqual(before);
  for (const each of [model, fresh]) each.dispose();
});

it.each([0, 1.5, "2"])("%s steps are refused", (steps) => {
  expect(() => compile(net(), steps as number)).toThrow(
    `compile: gradientAccumulationSteps: expected a positive integer, got ${typeof steps === "string" ? '"2"' : steps}`,
  );
  expect(() => net().compile({ engine, loss, gradientAccumulationSteps: 2 })).toThrow(
    "compile: optimizer: expected one beside gradientAccumulationSteps, got none",
  );
});
