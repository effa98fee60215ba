/** Subnormal weights: zeros to every operator and layer, and themselves in memory and files. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  sequential,
  tensor,
  type Conv2dForwardOptions,
  type Engine,
  type Layer,
  type Model,
  type Shape,
  type Tensor,
} from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { expectSameBits, expectWithin, gamma, SMALLEST_NORMAL } from "../support/float.ts";
import { runBoth } from "../onnx/support/net.ts";
import { noise } from "../support/model.ts";
import { node } from "../support/onnxFile.ts";
import { subnormal, zeroed } from "../support/subnormal.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** Weights of this shape with subnormal ones, and with zeros for them. */
function pair(seed: number, shape: Shape): [Tensor, Tensor] {
  const values = subnormal(noise(seed, ...shape).data, seed);
  return [tensor(values, shape), tensor(zeroed(values), shape)];
}

describe("operators", () => {
  const cases: [name: string, x: Shape, filter: Shape, options: Conv2dForwardOptions][] = [
    ["im2row", [2, 7, 8, 9], [3, 3, 9, 13], { algorithm: "im2row" }],
    ["im2row with strides and dilation", [2, 9, 8, 3], [3, 2, 3, 5], { strides: 2, dilationRate: 2 }],
    ["a pointwise filter", [2, 5, 5, 9], [1, 1, 9, 16], {}],
    ["one channel", [2, 9, 9, 1], [3, 3, 1, 6], {}],
    ["groups", [2, 7, 7, 6], [3, 3, 3, 10], { groups: 2 }],
    ["winograd", [2, 9, 10, 9], [3, 3, 9, 11], { algorithm: "winograd" }],
    ["depthwise", [2, 9, 10, 9], [3, 3, 1, 9], { groups: 9 }],
    ["depthwise of few channels", [2, 9, 10, 3], [3, 3, 1, 3], { groups: 3, strides: 2 }],
  ];

  it.each(cases)(
    "%s: both passes that read filters take them for zeros",
    (_, xShape, filterShape, options) => {
      // Large enough that a product with any subnormal number would show.
      const x = tensor(
        noise(1, ...xShape).data.map((v) => v * 2 ** 60),
        xShape,
      );
      const [given, zeros] = pair(2, filterShape);
      const y = engine.conv2d(x, given, options);
      expectSameBits(y.data, engine.conv2d(x, zeros, options).data);
      const dy = tensor(
        noise(3, ...y.shape).data.map((v) => v * 2 ** 60),
        y.shape,
      );
      const { algorithm = "auto" } = options;
      const routes =
        algorithm === "auto" && options.groups !== xShape[3] ? (["col2im", "flipped"] as const) : [algorithm];
      for (const route of routes) {
        const more = { ...options, algorithm: route };
        expectSameBits(
          engine.conv2dBackpropInput(dy, given, xShape, more).data,
          engine.conv2dBackpropInput(dy, zeros, xShape, more).data,
        );
      }
    },
  );

  it("the filter gradient is exact for subnormal gradients and pixels", () => {
    const x = tensor([2 ** -130, 1], [1, 1, 2, 1]);
    const dy = tensor([2 ** 10, 2 ** -128], [1, 1, 2, 1]);
    // 2⁻¹³⁰·2¹⁰ + 2⁻¹²⁸
    expect([...engine.conv2dBackpropFilter(x, dy, [1, 1, 1, 1]).data]).toEqual([2 ** -120 + 2 ** -128]);
  });

  it("a weight of 2⁻¹²⁶ counts, and what is below costs at most k·2⁻¹²⁶·max|x|", () => {
    const k = 64;
    const x = noise(5, 3, k);
    const w = tensor(new Float32Array(k * 8).fill(SMALLEST_NORMAL), [k, 8]);
    expect(engine.matMul(tensor(new Float32Array(k).fill(1), [1, k]), w).data[0]).toBe(k * SMALLEST_NORMAL);
    const [b] = pair(6, [k, 8]);
    const exact = Float64Array.from({ length: 24 }, (_, i) => {
      let sum = 0;
      for (let q = 0; q < k; q++) sum += x.data[Math.floor(i / 8) * k + q]! * b.data[q * 8 + (i % 8)]!;
      return sum;
    });
    expectWithin(engine.matMul(x, b).data, exact, () => gamma(k + 1) * k + k * SMALLEST_NORMAL);
  });
});

/** A layer of each kind that has weights. */
const NET = (): Layer[] => [
  layers.conv2d({ filters: 9, kernelSize: 3, padding: "same", activation: "relu" }),
  layers.batchNormalization(),
  layers.depthwiseConv2d({ kernelSize: 3 }),
  layers.batchNormalization(),
  layers.conv2d({ filters: 12, kernelSize: 1, strides: 2 }),
  layers.conv2dTranspose({ filters: 8, kernelSize: 3, strides: 2 }),
  layers.separableConv2d({ filters: 8, kernelSize: 3 }),
  layers.conv2d({ filters: 8, kernelSize: 3, padding: "same" }),
  layers.flatten(),
  layers.dense({ units: 9, activation: "relu" }),
  layers.dense({ units: 3 }),
];

/** The net with subnormal weights, or with zeros for them. */
function net(zeros: boolean): Model {
  const model = sequential({ inputShape: [9, 9, 2], layers: NET(), seed: 4 });
  const weights = [...model.weights].map(([name, { shape, data }]): [string, Tensor] => {
    const values = /kernel|gamma/i.test(name) ? subnormal(data, 7) : data;
    return [name, tensor(zeros ? zeroed(values) : values, shape)];
  });
  model.setWeights(new Map(weights));
  return model;
}

describe("layers", () => {
  const images = noise(8, 12, 9, 9, 2);
  const [given, zeros] = [net(false), net(true)];

  it("infer as with zeros, of any number of images, and in a session", () => {
    for (const model of [given, zeros]) model.compile({ engine });
    for (const n of [1, 2, 12]) {
      const batch = tensor(images.data.slice(0, n * 162), [n, 9, 9, 2]);
      expectSameBits(given.predict(batch).data, zeros.predict(batch).data);
    }
    const session = given.session();
    session.input.set(images.data.subarray(0, 162));
    session.run();
    expectSameBits(session.output.slice(), zeros.predict(images).data.slice(0, 3));
  });

  it("keep their weights, in memory and in files", async () => {
    const { data } = given.weights.get("conv2d.kernel")!;
    expect(data.filter((v) => v !== 0 && Math.abs(v) < SMALLEST_NORMAL).length).toBeGreaterThan(10);
    const again = loadModel(given.toSafetensors());
    expect(again.weights).toEqual(given.weights);
    // A matrix lies in an ONNX file as it is.
    const file = given.toOnnx();
    const matrix = given.weights.get("dense.kernel")!.data;
    expect(Buffer.from(file).includes(Buffer.from(matrix.buffer))).toBe(true);
    const imported = await loadOnnx(file, { engine });
    expect(Buffer.from(imported.toOnnx()).includes(Buffer.from(matrix.buffer))).toBe(true);
  });

  it("learn as with zeros, and change their weights from where they are", () => {
    const labels = Array.from({ length: 12 }, (_, i) => i % 3);
    const gradients = [given, zeros].map((model) => {
      const options = {
        loss: losses.softmaxCrossEntropy(),
        optimizer: optimizers.sgd({ learningRate: 0.1 }),
      };
      model.compile({ engine, ...options });
      for (const n of [1, 12]) {
        model.trainOnBatch(tensor(images.data.slice(0, n * 162), [n, 9, 9, 2]), labels.slice(0, n));
      }
      return model.gradients;
    });
    expect(gradients[0]).toEqual(gradients[1]);
  });
});

it.each(["a", "b"] as const)("a constant %s in a product of an ONNX file counts likewise", async (side) => {
  const sizes = { a: [3, 7], b: [7, 4] };
  const other = side === "a" ? "b" : "a";
  const x = noise(3, 2, ...sizes[other]);
  const nodes = [node("MatMul", ["a", "b"], "y")];
  const [y, expected] = await Promise.all(
    pair(4, sizes[side]).map((weights) =>
      runBoth(engine, { given: { [other]: x }, constants: { [side]: weights }, nodes }),
    ),
  );
  expectSameBits(y!.data as Float32Array, expected!.data as Float32Array);
});
