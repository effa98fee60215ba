/**
 * What a model carries from one call of training to the next, and what it does not: each case holds a model with a past
 * against one without, bit for bit.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  schedules,
  sequential,
  type Engine,
  type Layer,
  type Model,
  type Optimizer,
  type Tensor,
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";

const SHAPE = [10, 9, 8];
const CLASSES = 3;
const loss = losses.softmaxCrossEntropy();

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const batch = (count: number, seed: number): [Tensor, number[]] => [
  noise(seed, count, ...SHAPE),
  Array.from({ length: count }, (_, i) => (i * 7 + seed) % CLASSES),
];

const net = (list: readonly Layer[], seed = 3): Model =>
  sequential({
    inputShape: SHAPE,
    layers: [...list, layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })],
    seed,
  });

/**
 * Wide enough for Winograd, whose filters are packed beforehand when they are frozen, and a depthwise one, likewise.
 */
const convolutions = (): Layer[] => [
  layers.conv2d({ filters: 16, kernelSize: 3, padding: "same", activation: "relu", name: "first" }),
  layers.depthwiseConv2d({ kernelSize: 3, name: "second" }),
  layers.conv2d({ filters: 8, kernelSize: 1, name: "third" }),
];

/** A net with one part of each kind that has to do with training. */
const kinds = (): Layer[] => [
  layers.conv2d({ filters: 8, kernelSize: 3, name: "convolution" }),
  layers.batchNormalization({ momentum: 0.75, name: "normalization" }),
  layers.prelu({ name: "slopes" }),
  layers.dropout({ rate: 0.25 }),
];

/** Another model of the same layers' kinds with the weights of this one, compiled and without a past. */
function fresh(list: readonly Layer[], model: Model, optimizer: Optimizer): Model {
  const other = net(list);
  other.setWeights(model.weights);
  other.compile({ engine, optimizer, loss });
  return other;
}

const OPTIMIZERS: [string, () => Optimizer][] = [
  ["sgd", () => optimizers.sgd({ learningRate: 0.1, weightDecay: 0.1 })],
  ["sgd with momentum", () => optimizers.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.1 })],
  ["adam", () => optimizers.adam({ learningRate: 0.01, weightDecay: 0.1 })],
  ["adamw", () => optimizers.adamw({ learningRate: 0.01, weightDecay: 0.1 })],
  ["rmsprop", () => optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true })],
  ["adagrad", () => optimizers.adagrad({ learningRate: 0.1 })],
  ["lion", () => optimizers.lion({ learningRate: 0.01, weightDecay: 0.1 })],
  ["lamb", () => optimizers.lamb({ learningRate: 0.01, weightDecay: 0.1 })],
];

describe("batches of other sizes", () => {
  it.each([
    ["larger ones", [2, 5, 9]],
    ["smaller ones", [9, 5, 1]],
  ])("%s give what a new model gives, frozen layers included", (_, sizes) => {
    for (const frozen of [[], [0], [1], [0, 1], [0, 1, 2]]) {
      const make = (): Layer[] => {
        const list = convolutions();
        for (const index of frozen) list[index]!.trainable = false;
        return list;
      };
      const optimizer = optimizers.sgd({ learningRate: 0.1 });
      const model = net(make());
      model.compile({ engine, optimizer, loss });
      for (const size of sizes) {
        const other = fresh(make(), model, optimizer);
        const given = batch(size, size);
        expect(model.trainOnBatch(...given)).toBe(other.trainOnBatch(...given));
        expect(weightBits(model)).toEqual(weightBits(other));
        for (const [name, { data }] of model.gradients)
          expect(bitsOf(data), name).toEqual(bitsOf(other.gradients.get(name)!.data));
        other.dispose();
      }
      model.dispose();
    }
  });

  it.each(OPTIMIZERS)("leave what goes on from step to step as it is, with %s", async (_, optimizer) => {
    const [model, roomy] = [net(kinds()), net(kinds())];
    for (const each of [model, roomy]) each.compile({ engine, optimizer: optimizer(), loss });
    // Makes room for the largest batch, and goes no further.
    const stopped = roomy.fit(...batch(16, 0), { batchSize: 16, signal: AbortSignal.abort("stopped") });
    await expect(stopped).rejects.toBe("stopped");
    for (const size of [2, 5, 16, 3]) {
      const given = batch(size, size);
      expect(model.trainOnBatch(...given)).toBe(roomy.trainOnBatch(...given));
      expect(weightBits(model)).toEqual(weightBits(roomy));
    }
    for (const each of [model, roomy]) each.dispose();
  });
});

describe("compiling again", () => {
  it.each(OPTIMIZERS)("starts %s, its rate and the masks of dropout anew", (_, optimizer) => {
    const model = net(kinds());
    model.compile({ engine, optimizer: optimizer(), loss });
    for (let step = 0; step < 3; step++) model.trainOnBatch(...batch(4, step));
    model.compile({ engine, optimizer: optimizer(), loss });
    const other = fresh(kinds(), model, optimizer());
    for (let step = 0; step < 3; step++) {
      const given = batch(4, step);
      expect(model.trainOnBatch(...given)).toBe(other.trainOnBatch(...given));
    }
    expect(weightBits(model)).toEqual(weightBits(other));
    for (const each of [model, other]) each.dispose();
  });

  it("asks for the rates from step 0 on, which go on from fit to fit", async () => {
    const asked: number[] = [];
    const learningRate = (step: number): number => (asked.push(step), 0.01);
    const model = net(kinds());
    const optimizer = optimizers.adam({ learningRate });
    for (let times = 0; times < 2; times++) {
      asked.length = 0;
      model.compile({ engine, optimizer, loss });
      await model.fit(...batch(5, 1), { batchSize: 3, epochs: 2 });
      model.trainOnBatch(...batch(2, 1));
      await model.fit(...batch(5, 1), { batchSize: 5 });
      expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
    }
    model.dispose();
  });

  it("lets what was frozen learn as if it never had been", () => {
    for (const toggled of [[0], [1], [2], [0, 1, 2]]) {
      const list = convolutions();
      const freeze = (frozen: boolean): void => {
        for (const index of toggled) list[index]!.trainable = !frozen;
      };
      const optimizer = optimizers.sgd({ learningRate: 0.1, momentum: 0.9 });
      const model = net(list);
      for (const frozen of [true, false, true]) {
        freeze(frozen);
        model.compile({ engine, optimizer, loss });
        const twin = convolutions();
        for (const index of toggled) twin[index]!.trainable = !frozen;
        const other = fresh(twin, model, optimizer);
        for (const size of [2, 3]) {
          expect(model.trainOnBatch(...batch(size, 1))).toBe(other.trainOnBatch(...batch(size, 1)));
        }
        expect(weightBits(model)).toEqual(weightBits(other));
        other.dispose();
      }
      model.dispose();
    }
  });
});

describe("beside frozen layers", () => {
  const HOLES = [[0], [1], [2], [0, 2], [0, 1], [1, 2]];

  /** Takes steps with some layers frozen, and beside them with layers that learn and are then put back. */
  function expectHoles(make: () => Layer[], frozen: readonly number[], optimizer: Optimizer): void {
    const list = make();
    for (const index of frozen) list[index]!.trainable = false;
    const [model, free] = [net(list), net(make())];
    for (const each of [model, free]) each.compile({ engine, optimizer, loss });
    const start = model.weights;
    const names = frozen.map((index) => `${list[index]!.name}.`);
    const held = [...start].filter(([name]) => names.some((prefix) => name.startsWith(prefix)));
    expect(held.length).toBeGreaterThan(0);
    for (let step = 0; step < 3; step++) {
      const given = batch(4, step);
      expect(model.trainOnBatch(...given)).toBe(free.trainOnBatch(...given));
      free.setWeights(new Map([...free.weights, ...held]));
      expect(weightBits(model)).toEqual(weightBits(free));
    }
    for (const each of [model, free]) each.dispose();
  }

  it.each(OPTIMIZERS)("%s moves the others as ever, and decay leaves the frozen", (_, optimizer) => {
    for (const frozen of HOLES) expectHoles(convolutions, frozen, optimizer());
  });

  it.each(OPTIMIZERS)("%s and its decay leave moving statistics to the batches", (_, optimizer) => {
    const statistics = (with_: Optimizer): Record<string, Int32Array> => {
      const model = net([layers.batchNormalization({ momentum: 0.75, name: "front" }), ...convolutions()]);
      model.compile({ engine, optimizer: with_, loss });
      for (let step = 0; step < 3; step++) model.trainOnBatch(...batch(4, step));
      const { "front.movingMean": mean, "front.movingVariance": variance } = weightBits(model);
      model.dispose();
      return { mean: mean!, variance: variance! };
    };
    expect(statistics(optimizer())).toEqual(statistics(optimizers.sgd({ learningRate: 0 })));
  });

  it("bounds are on the gradients of what learns", () => {
    for (const frozen of [[], ...HOLES]) {
      const make = (): Layer[] => {
        const list = convolutions();
        for (const index of frozen) list[index]!.trainable = false;
        return list;
      };
      const [free, bounded] = [net(make()), net(make())];
      const rate = { learningRate: 0.1 };
      free.compile({ engine, optimizer: optimizers.sgd(rate), loss });
      free.trainOnBatch(...batch(4, 1));
      const all = [...free.gradients.values()].flatMap(({ data }) => [...data]);
      const length = Math.hypot(...all);
      const norm = length / 3;
      bounded.compile({ engine, optimizer: optimizers.sgd({ ...rate, globalClipNorm: norm }), loss });
      bounded.trainOnBatch(...batch(4, 1));
      for (const [name, { data }] of bounded.gradients) {
        const whole = free.gradients.get(name)!.data;
        // The factor and each product are rounded.
        for (let i = 0; i < data.length; i++)
          expect(Math.abs(data[i]! - whole[i]! / 3)).toBeLessThanOrEqual(2 ** -22 * Math.abs(whole[i]!));
      }
      for (const each of [free, bounded]) each.dispose();
    }
  });
});

describe("one run in parts", () => {
  const rate = (): ReturnType<typeof schedules.warmUp> =>
    schedules.warmUp({
      learningRate: schedules.cosineDecay({ learningRate: 0.05, decaySteps: 9 }),
      steps: 3,
    });
  const SCHEDULED: [string, () => Optimizer][] = [
    ["sgd", () => optimizers.sgd({ learningRate: rate(), momentum: 0.9, nesterov: true })],
    ["adamw", () => optimizers.adamw({ learningRate: rate() })],
  ];

  it.each(SCHEDULED)("is the whole run, with %s and a schedule", async (_, optimizer) => {
    const [whole, parts] = [net(kinds()), net(kinds())];
    for (const each of [whole, parts]) each.compile({ engine, optimizer: optimizer(), loss });
    const given = batch(7, 1);
    const validationData = batch(5, 2);
    const { loss: expected } = await whole.fit(...given, { epochs: 4, batchSize: 3, shuffle: false });
    const found: number[] = [];
    for (const epochs of [1, 2, 1]) {
      const history = await parts.fit(...given, { epochs, batchSize: 3, shuffle: false, validationData });
      found.push(...history.loss);
      // Evaluating and predicting in between changes nothing.
      parts.evaluate(...validationData);
      parts.predict(validationData[0]);
    }
    expect(found).toEqual(expected);
    expect(weightBits(parts)).toEqual(weightBits(whole));
    for (const each of [whole, parts]) each.dispose();
  });

  it("has other masks of dropout in each step, and the same ones after compiling again", () => {
    const model = net([layers.dropout({ rate: 0.5 })]);
    const runs = [0, 1].map(() => {
      model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss });
      return Array.from({ length: 5 }, () => model.trainOnBatch(...batch(4, 1)));
    });
    expect(new Set(runs[0]).size).toBe(5);
    expect(runs[1]).toEqual(runs[0]);
    model.dispose();
  });

  it("predicts by the weights of the moment, in sessions too", async () => {
    const model = net(kinds());
    const optimizer = optimizers.adamw({ learningRate: 0.01 });
    model.compile({ engine, optimizer, loss });
    const session = model.session({ batchSize: 2 });
    const [images] = batch(2, 8);
    session.input.set(images.data);
    const answers: Float32Array[] = [];
    for (let round = 0; round < 3; round++) {
      const other = fresh(kinds(), model, optimizer);
      const expected = bitsOf(other.predict(images).data);
      expect(bitsOf(model.predict(images).data)).toEqual(expected);
      session.run();
      expect(bitsOf(session.output)).toEqual(expected);
      expect(model.evaluate(images, [1, 2])).toEqual(other.evaluate(images, [1, 2]));
      other.dispose();
      answers.push(session.output.slice());
      if (round === 0) model.trainOnBatch(...batch(4, 1));
      else await model.fit(...batch(4, 1));
    }
    expect(answers[1]).not.toEqual(answers[0]);
    expect(answers[2]).not.toEqual(answers[1]);
    model.dispose();
  });

  it("stops early by the epochs of the call alone", async () => {
    const optimizer = optimizers.sgd({ learningRate: 0.5 });
    const options = {
      epochs: 6,
      batchSize: 4,
      shuffle: false,
      validationData: batch(6, 5),
      earlyStopping: { patience: 1, restoreBestWeights: true },
    };
    const model = net(convolutions());
    model.compile({ engine, optimizer, loss });
    for (let call = 0; call < 3; call++) {
      const other = fresh(convolutions(), model, optimizer);
      const [history, expected] = [
        await model.fit(...batch(8, 4), options),
        await other.fit(...batch(8, 4), options),
      ];
      expect(history).toEqual(expected);
      expect(weightBits(model)).toEqual(weightBits(other));
      expect(model.evaluate(...options.validationData).loss).toBe(Math.min(...history.validationLoss));
      other.dispose();
    }
    model.dispose();
  });
});

describe("a refused step", () => {
  /** Images whose loss is not finite. */
  const excessive = (count: number): [Tensor, number[]] => {
    const [images, labels] = batch(count, 3);
    return [{ shape: images.shape, data: images.data.map((x) => 3e38 * Math.sign(x)) }, labels];
  };

  it.each(OPTIMIZERS)("leaves no trace with %s", async (_, optimizer) => {
    const [model, other] = [net(kinds()), net(kinds())];
    for (const each of [model, other]) each.compile({ engine, optimizer: optimizer(), loss });
    for (let step = 0; step < 3; step++) {
      expect(() => model.trainOnBatch(...excessive(3))).toThrow(`step ${step + 1}: expected finite numbers`);
      expect(() => model.trainOnBatch(...excessive(5))).toThrow(`step ${step + 1}: expected finite numbers`);
      expect(model.trainOnBatch(...batch(4, step))).toBe(other.trainOnBatch(...batch(4, step)));
      expect(weightBits(model)).toEqual(weightBits(other));
    }
    for (const each of [model, other]) each.dispose();
  });

  it("for its update's sake leaves none either", () => {
    let rate = 0;
    const learningRate = (): number => rate;
    const make = [
      () => optimizers.sgd({ learningRate }),
      () => optimizers.sgd({ learningRate, momentum: 0.9, weightDecay: 0.1 }),
      () => optimizers.adam({ learningRate, globalClipNorm: 0.5 }),
      () => optimizers.adamw({ learningRate, weightDecay: 0.1 }),
    ];
    for (const optimizer of make) {
      const [model, other] = [net(kinds()), net(kinds())];
      for (const each of [model, other]) each.compile({ engine, optimizer: optimizer(), loss });
      for (let step = 0; step < 3; step++) {
        // Finite, but for float32.
        rate = 1e300;
        expect(() => model.trainOnBatch(...batch(4, 9))).toThrow("an updated weight is not finite");
        rate = 1e-3;
        expect(model.trainOnBatch(...batch(4, step))).toBe(other.trainOnBatch(...batch(4, step)));
        expect(weightBits(model)).toEqual(weightBits(other));
      }
      for (const each of [model, other]) each.dispose();
    }
  });
});
