/** Callers that change their data under way, or ask for the absurd: nothing is written where it does not belong. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  MemoryError,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

const loss = losses.softmaxCrossEntropy();
const optimizer = optimizers.sgd({ learningRate: 0.1, momentum: 0.9 });
const images = noise(1, 6, 7, 7, 3);
const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);

let engine: Engine;
/** A model beside the one under test, whose weights must stay. */
let neighbour: Model;
let before: object;

beforeEach(async () => {
  engine = await load();
  neighbour = tinyNet(5);
  neighbour.compile({ engine, optimizer, loss });
  before = weightBits(neighbour);
});

afterEach(() => {
  expect(weightBits(neighbour)).toEqual(before);
  expect(neighbour.predict(images).shape).toEqual([6, 3]);
});

describe("while fit runs", () => {
  it("labels may be changed or detached: fit goes on with those that it was given", async () => {
    const quiet = tinyNet();
    quiet.compile({ engine, optimizer, loss });
    await quiet.fit(images, [0, 1, 2, 0, 1, 2], { batchSize: 2 });
    for (const spoil of [
      (labels: Int32Array): unknown => labels.fill(5000),
      (labels: Int32Array): unknown => structuredClone(labels, { transfer: [labels.buffer] }),
    ]) {
      const model = tinyNet();
      model.compile({ engine, optimizer, loss });
      const labels = Int32Array.of(0, 1, 2, 0, 1, 2);
      await model.fit(images, labels, {
        batchSize: 2,
        onBatchEnd: () => void (labels.length && spoil(labels)),
      });
      expect(weightBits(model)).toEqual(weightBits(quiet));
    }
  });

  it("a learning-rate function cannot take the model away", () => {
    const model = tinyNet();
    const learningRate = (): number => {
      model.dispose();
      return 0.1;
    };
    model.compile({ engine, optimizer: optimizers.sgd({ learningRate }), loss });
    const step = () => model.trainOnBatch(images, [0, 1, 2, 0, 1, 2]);
    expect(step).toThrow("dispose: expected a model at rest, got one in training");
  });
});

it("options that change after a layer was made do not change the layer", () => {
  const kernelSize = [3, 3] as [number, number];
  const padding = [
    [1, 1],
    [1, 1],
  ] as [[number, number], [number, number]];
  const model = sequential({
    inputShape: [7, 7, 3],
    layers: [
      layers.conv2d({ filters: 4, kernelSize, padding }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  });
  kernelSize.fill(5);
  padding[0].fill(0);
  (model.inputShape as number[])[0] = 99;
  model.compile({ engine, optimizer, loss });
  expect(model.trainOnBatch(images, [0, 1, 2, 0, 1, 2])).toBeGreaterThan(0);
  expect(model.inputShape).toEqual([7, 7, 3]);
  (model.gradients.get("conv2d.kernel")!.shape as number[])[0] = 99;
  expect(model.weights.get("conv2d.kernel")!.shape).toEqual([3, 3, 3, 4]);
});

it("an output padding that changes after its layer was made does not change the output", () => {
  const outputPadding: [number, number] = [0, 0];
  const grow = layers.conv2dTranspose({ filters: 1, kernelSize: 3, strides: 2, outputPadding });
  const model = sequential({ inputShape: [3, 3, 1], layers: [grow] });
  outputPadding.fill(1);
  model.compile({ engine });
  expect(model.predict(zeros(2, 3, 3, 1)).shape).toEqual([2, 7, 7, 1]);
  expect(grow.outputShape([[3, 3, 1]], "grow")).toEqual([7, 7, 1]);
  model.dispose();
});

describe("sizes beyond 32 bits", () => {
  const far = [
    [8191, 3],
    [8191, 3],
  ] as const;

  it.each(["auto", "flipped"] as const)("in the input gradient by %s are refused", (algorithm) => {
    const options = { dilationRate: 8191, padding: far, algorithm };
    const call = () =>
      engine.conv2dBackpropInput(zeros(1, 4, 4, 32), zeros(2, 2, 1, 32), [1, 1, 1, 1], options);
    expect(call).toThrow(MemoryError);
  });

  it("in a layer are refused when its buffers are planned", () => {
    const size = 16384;
    const model = sequential({
      inputShape: [1, 1, 1],
      layers: [
        layers.conv2d({
          filters: 1,
          kernelSize: size,
          padding: [
            [size - 1, 0],
            [size - 1, 0],
          ],
          kernelInitializer: "zeros",
        }),
      ],
    });
    model.compile({ engine });
    expect(() => model.predict(zeros(1, 1, 1, 1))).toThrow(MemoryError);
    model.dispose();
  });

  it("of strides and dilations are refused", () => {
    for (const option of [{ strides: 2 ** 32 }, { dilationRate: 2 ** 32 }]) {
      expect(() => engine.conv2d(zeros(1, 3, 3, 1), zeros(1, 1, 1, 1), option)).toThrow(OptionError);
    }
  });
});

describe("what has no meaning is refused", () => {
  const twice = layers.dense({ units: 4 });
  const softmax = layers.dense({ units: 3, activation: "softmax" });
  const absurd: [string, () => unknown, typeof ShapeError | typeof OptionError, string][] = [
    [
      "an image without dimensions",
      () => sequential({ inputShape: [], layers: [layers.dense({ units: 1 })] }),
      ShapeError,
      "model: inputShape: expected at least one dimension, got none",
    ],
    [
      "one layer in two places that need weights of different shapes",
      () => sequential({ inputShape: [3], layers: [twice, twice] }),
      ShapeError,
      "dense:1: kernel: expected the shape of the layer's first use, 3×4, got inputs that need 4×4",
    ],
    [
      "a hole among the layers",
      () => sequential({ inputShape: [3], layers: Array.from({ length: 2 }) as never }),
      OptionError,
      "sequential: layers[0]: expected one of layers.*, got undefined",
    ],
    [
      "a softmax before a softmax",
      () => sequential({ inputShape: [3], layers: [softmax] }).compile({ engine, loss }),
      OptionError,
      "compile: loss: expected a linear last layer, since softmaxCrossEntropy holds the softmax, got softmax in",
    ],
    [
      "a sigmoid before a sigmoid",
      () => {
        const yes = layers.dense({ units: 1, activation: "sigmoid" });
        const own = losses.sigmoidCrossEntropy();
        sequential({ inputShape: [3], layers: [yes] }).compile({ engine, loss: own });
      },
      OptionError,
      "compile: loss: expected a linear last layer, since sigmoidCrossEntropy holds the sigmoid, got sigmoid in dense",
    ],
    [
      "a sigmoid before a sigmoid, under another shape",
      () => {
        const list = [
          layers.conv2d({ filters: 1, kernelSize: 1, activation: "sigmoid", name: "mask" }),
          layers.reshape({ targetShape: [9] }),
          layers.dropout({ rate: 0.1 }),
          layers.activation({ activation: "linear" }),
        ];
        const own = losses.sigmoidCrossEntropy();
        sequential({ inputShape: [3, 3, 2], layers: list }).compile({ engine, loss: own });
      },
      OptionError,
      "compile: loss: expected a linear last layer, since sigmoidCrossEntropy holds the sigmoid, got sigmoid in mask",
    ],
    [
      "a tensor of nothing",
      () => tensor(null as never, [3]),
      ShapeError,
      "tensor: expected an array of numbers",
    ],
    [
      "weights that are no Map",
      () => neighbour.setWeights({} as never),
      ShapeError,
      "setWeights: expected a Map",
    ],
    [
      "an engine that is none",
      () => neighbour.compile({ engine: { runtime: 5 } as never }),
      OptionError,
      "compile: engine: expected what load() gives",
    ],
    [
      "a flag that is a word",
      () => engine.matMul(zeros(2, 3), zeros(2, 3), { transposeA: "yes" as never }),
      OptionError,
      'matMul: transposeA: expected true or false, got "yes"',
    ],
    [
      "a smoothing of squares",
      () => losses.meanSquaredError({ labelSmoothing: 0.1 } as never),
      OptionError,
      'meanSquaredError: expected no options; got "labelSmoothing"',
    ],
    [
      "a width of absolute differences",
      () => losses.meanAbsoluteError({ delta: 2 } as never),
      OptionError,
      'meanAbsoluteError: expected no options; got "delta"',
    ],
    [
      "a smoothing of sigmoids",
      () => losses.sigmoidCrossEntropy({ labelSmoothing: 0.1 } as never),
      OptionError,
      'sigmoidCrossEntropy: expected no options; got "labelSmoothing"',
    ],
    [
      "a number of filters without JSON",
      () => layers.conv2d({ filters: [1n] as never, kernelSize: 3 }),
      OptionError,
      "conv2d: filters: expected a positive integer, got [object Array]",
    ],
  ];

  it.each(absurd)("%s", (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });

  it("a view that the memory's growth detached", () => {
    const session = neighbour.session({ batchSize: 6 });
    const view = tensor(session.output, [6, 3]);
    engine.matMul(zeros(700, 700), zeros(700, 700));
    expect(() => engine.activation(view, "relu")).toThrow(ShapeError);
    session.dispose();
  });
});
