/** Penalties on weights: in the loss, in the gradient, in files. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  defineLayer,
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  registerLayer,
  regularizers,
  sequential,
  type CompileOptions,
  type Engine,
  type Layer,
  type Model,
  type Regularizer,
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";
import type { Any } from "../support/options.ts";

const SHAPE = [6, 5, 2];
const loss = losses.meanSquaredError();
const f32 = Math.fround;

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

/** A net whose weights have penalties, or none. */
function net(kernel?: Regularizer, bias?: Regularizer): Model {
  const own = { kernelRegularizer: kernel, biasRegularizer: bias, biasInitializer: { constant: 0.5 } };
  const list: Layer[] = [
    layers.conv2d({ filters: 3, kernelSize: 3, activation: "tanh", ...own }),
    layers.flatten(),
    layers.dense({ units: 2, ...own }),
  ];
  return sequential({ inputShape: SHAPE, layers: list, seed: 4 });
}

const [images, targets] = [noise(1, 3, ...SHAPE), noise(2, 3, 2)];
const sgd = (more: object = {}): CompileOptions<[]> => ({
  engine,
  loss,
  optimizer: optimizers.sgd({ learningRate: 0.125, ...more }),
});

/** `Σ over the weights of l1·Σ|w| + l2·Σw²`, as float64. */
function penaltyOf(model: Model, kernel: Regularizer, bias: Regularizer = {}): number {
  return [...model.weights].reduce((sum, [name, { data }]) => {
    const { l1 = 0, l2 = 0 } = name.endsWith("kernel") ? kernel : bias;
    return sum + data.reduce((all, w) => all + l1 * Math.abs(w) + l2 * w * w, 0);
  }, 0);
}

describe("a penalty", () => {
  const [kernel, bias] = [regularizers.l1L2({ l1: 0.02, l2: 0.3 }), regularizers.l2(0.1)];

  it("is a part of the loss that steps, fit and evaluate report", async () => {
    const [plain, model] = [net(), net(kernel, bias)];
    for (const each of [plain, model]) each.compile(sgd());
    const penalty = penaltyOf(model, kernel, bias);
    expect(penalty).toBeGreaterThan(1);
    const own = plain.evaluate(images, targets).loss;
    expect(model.evaluate(images, targets).loss).toBeCloseTo(own + penalty, 12);
    expect((await model.evaluateAsync(images, targets)).loss).toBeCloseTo(own + penalty, 12);
    const first = model.trainOnBatch(images, targets);
    expect(first).toBeCloseTo(plain.trainOnBatch(images, targets) + penalty, 6);
    const history = await model.fit(images, targets, { batchSize: 3, validationData: [images, targets] });
    expect(history.validationLoss[0]).toBe(model.evaluate(images, targets).loss);
    for (const each of [plain, model]) each.dispose();
  });

  it("of a weight of a layer of one's own is a part of loss and gradient, and of its file", () => {
    const scale = defineLayer({
      type: "penalizedScale",
      config: { penalty: {} as Regularizer },
      weights: ([shape], { penalty }) => ({
        w: { shape: shape!, initializer: { constant: 0.5 }, regularizer: penalty },
        free: { shape: [1], initializer: "ones" },
      }),
      forward({ x, y, weights: { w } }) {
        for (let i = 0; i < x.length; i++) y[i] = x[i]! * w![i % w!.length]!;
      },
      backward({ dx, gradients: { w, free } }) {
        for (const each of [dx, w, free]) each?.fill(0);
      },
    });
    registerLayer("penalizedScale", scale);
    const made = sequential({
      inputShape: [4],
      layers: [scale({ penalty: regularizers.l1L2({ l1: 0.25, l2: 2 }) })],
    });
    const x = noise(3, 2, 4);
    for (const model of [made, loadModel(made.toSafetensors())]) {
      model.compile(sgd());
      const own = model.predict(x).data.reduce((sum, value) => sum + value * value, 0) / 8;
      // Four weights of a half: 0.25·½ + 2·¼ each, and 0.25 + 2·2·½ as slopes.
      expect(model.trainOnBatch(x, { shape: [2, 4], data: new Float32Array(8) })).toBeCloseTo(own + 2.5, 6);
      expect(Object.fromEntries(model.gradients)).toMatchObject({
        "penalizedScale.w": { data: Float32Array.of(2.25, 2.25, 2.25, 2.25) },
        "penalizedScale.free": { data: Float32Array.of(0) },
      });
      model.dispose();
    }
  });

  it("is measured where there is a loss and no optimizer", () => {
    const model = net(kernel);
    model.compile({ engine, loss });
    const plain = net();
    plain.compile({ engine, loss });
    const expected = plain.evaluate(images, targets).loss + penaltyOf(model, kernel);
    expect(model.evaluate(images, targets).loss).toBeCloseTo(expected, 12);
    for (const each of [plain, model]) each.dispose();
  });

  it("of l2 does what a weight decay of twice its factor does in sgd, bit for bit", () => {
    const model = net(regularizers.l2(0.05), regularizers.l2(0.05));
    const decayed = net();
    model.compile(sgd());
    decayed.compile(sgd({ weightDecay: 0.1 }));
    for (let step = 0; step < 5; step++) {
      for (const each of [model, decayed]) each.trainOnBatch(noise(step, 3, ...SHAPE), targets);
    }
    expect(weightBits(model)).toEqual(weightBits(decayed));
    for (const each of [model, decayed]) each.dispose();
  });

  it("adds l1·sign(w) + 2·l2·w to the gradient of its weight alone, before bounds", () => {
    const [plain, model] = [net(), net(kernel)];
    for (const each of [plain, model]) each.compile(sgd());
    const before = model.weights;
    for (const each of [plain, model]) each.trainOnBatch(images, targets);
    for (const [name, { data }] of model.gradients) {
      const own = plain.gradients.get(name)!.data;
      const w = before.get(name)!.data;
      const expected = own.map((g, i) => {
        const slope = f32(f32(f32(0.6) * w[i]!) + f32(f32(0.02) * Math.sign(w[i]!)));
        return name.endsWith("kernel") ? g + slope : g;
      });
      expect(bitsOf(data), name).toEqual(bitsOf(expected));
    }
    model.compile(sgd({ clipValue: 0.01 }));
    model.trainOnBatch(images, targets);
    const largest = Math.max(...[...model.gradients.values()].map(({ data }) => Math.max(...data)));
    expect(largest).toBeLessThanOrEqual(f32(0.01));
    for (const each of [plain, model]) each.dispose();
  });

  it("counts only while its layer learns", () => {
    const [plain, model] = [net(), net(kernel, bias)];
    for (const each of [plain, model]) {
      each.layers[0]!.trainable = false;
      each.compile({ engine, loss });
    }
    const first = new Map([...model.weights].filter(([name]) => name.startsWith("dense")));
    const expected = penaltyOf({ weights: first } as unknown as Model, kernel, bias);
    const found = model.evaluate(images, targets).loss - plain.evaluate(images, targets).loss;
    expect(found).toBeCloseTo(expected, 12);
    for (const each of [plain, model]) each.dispose();
  });

  it("comes back from a file, and a layer without has none there", () => {
    const model = net(kernel, bias);
    const again = loadModel(model.toSafetensors());
    expect(again.layers[0]!.config).toMatchObject({ kernelRegularizer: kernel, biasRegularizer: bias });
    expect(Object.keys(net().layers[0]!.config!)).not.toContain("kernelRegularizer");
    for (const each of [model, again]) each.compile(sgd());
    expect(again.trainOnBatch(images, targets)).toBe(model.trainOnBatch(images, targets));
    for (const each of [model, again]) each.dispose();
  });
});

it.each<[string, Layer, readonly string[]]>([
  ["dense", layers.dense({ units: 2, kernelRegularizer: { l2: 1 } }), ["kernel"]],
  ["conv1d", layers.conv1d({ filters: 2, kernelSize: 2, biasRegularizer: { l1: 1 } }), ["bias"]],
  ["conv2d", layers.conv2d({ filters: 2, kernelSize: 2, kernelRegularizer: { l1: 1 } }), ["kernel"]],
  ["depthwiseConv2d", layers.depthwiseConv2d({ kernelSize: 2, kernelRegularizer: { l1: 1 } }), ["kernel"]],
  [
    "conv2dTranspose",
    layers.conv2dTranspose({ filters: 2, kernelSize: 2, kernelRegularizer: { l1: 1 } }),
    ["kernel"],
  ],
  [
    "separableConv2d",
    layers.separableConv2d({
      filters: 2,
      kernelSize: 2,
      depthwiseRegularizer: { l1: 1 },
      pointwiseRegularizer: { l2: 1 },
    }),
    ["depthwiseKernel", "pointwiseKernel"],
  ],
])("%s has the penalties of its options", (_, layer, names) => {
  const shape = layer.type === "conv1d" ? [6, 2] : SHAPE;
  const penalized = layer.weights([shape]).filter(({ regularizer }) => regularizer);
  expect(penalized.map(({ name }) => name)).toEqual(names);
});

describe("a regularizer is refused", () => {
  it.each(
    Object.entries<() => unknown>({
      "regularizers.l1: l1: expected a finite number ≥ 0, got -1": () => regularizers.l1(-1),
      "regularizers.l2: l2: expected a finite number ≥ 0, got NaN": () => regularizers.l2(NaN),
      'regularizers.l1L2: expected the options l1, l2; got "l3"': () => regularizers.l1L2({ l3: 1 } as Any),
      'dense: kernelRegularizer: expected one of regularizers.*, got "l2"': () =>
        layers.dense({ units: 1, kernelRegularizer: "l2" as Any }),
      "conv2d: biasRegularizer: l2: expected a finite number ≥ 0, got -0.1": () =>
        layers.conv2d({ filters: 1, kernelSize: 1, biasRegularizer: { l2: -0.1 } }),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
  });
});

it("factors have the defaults of Keras", () => {
  expect([regularizers.l1(), regularizers.l2()]).toEqual([
    { l1: 0.01, l2: 0 },
    { l1: 0, l2: 0.01 },
  ]);
});
