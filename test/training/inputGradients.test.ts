/** `model.inputGradients`: the gradient of the loss, or of outputs, by the inputs. */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  checkGradients,
  defineLayer,
  input,
  layers,
  load,
  losses,
  model as graph,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Model,
  type OwnTensor,
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const IMAGE = [6, 6, 2];

const net = (): Model =>
  sequential({
    inputShape: IMAGE,
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu" }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.5 }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
    seed: 3,
  });

const LABELS = Int32Array.of(0, 3, 1);

describe("gradients of the inputs", () => {
  it("are Wᵀ times the gradient of the output, for a dense layer", () => {
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 2, useBias: false })] });
    model.setWeights(new Map([["dense.kernel", tensor([1, 2, 3, 4], [2, 2])]]));
    model.compile({ engine, loss: losses.meanSquaredError() });
    const x = tensor([1, 1], [1, 2]);
    expectTypeOf(model.inputGradients(x, x)).toEqualTypeOf<OwnTensor>();
    const seeds = { outputGradients: tensor([1, 10], [1, 2]) };
    expect([...model.inputGradients(x, seeds).data]).toEqual([21, 43]);
    // y = (4, 6), and the mean of (y − target)² has the gradient (y − target) = (1, −1): W·(1, −1).
    expect([...model.inputGradients(x, tensor([3, 7], [1, 2])).data]).toEqual([-1, -1]);
  });

  it("are those of the net in inference: the loss that evaluate finds falls along them", () => {
    const model = net();
    const x = noise(5, 3, ...IMAGE);
    model.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.05 }),
      loss: losses.softmaxCrossEntropy(),
    });
    model.trainOnBatch(x, LABELS);
    const before = model.weights;
    const { data } = model.inputGradients(x, LABELS);
    expect(model.weights).toEqual(before);
    const square = data.reduce((sum, g) => sum + g * g, 0);
    const lossAt = (h: number): number =>
      model.evaluate(
        tensor(
          x.data.map((v, i) => v + h * data[i]!),
          x.shape,
        ),
        LABELS,
      ).loss;
    // The slope along the gradient is its square; kinks and curvature take some per cent.
    const h = 2 ** -6;
    expect((lossAt(h) - lossAt(-h)) / (2 * h) / square).toBeCloseTo(1, 1);
  });

  it("need no loss for gradients of outputs, chosen by name", () => {
    const x = input({ shape: [3], name: "x" });
    const z = input({ shape: [3], name: "z" });
    const sum = layers.add().apply([x, z]);
    const outputs = {
      first: layers.dense({ units: 2 }).apply(sum),
      second: layers.dense({ units: 1, kernelInitializer: "ones" }).apply(x),
    };
    const model = graph({ inputs: [x, z], outputs });
    model.compile({ engine });
    const images = { x: noise(1, 2, 3), z: noise(2, 2, 3) };
    const found = model.inputGradients(images, { outputGradients: { second: tensor([1, 2], [2, 1]) } });
    expectTypeOf(found).toEqualTypeOf<Record<string, OwnTensor>>();
    expect([...found["x"]!.data]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...found["z"]!.data]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(() => model.inputGradients(images, { outputGradients: tensor([1, 2], [2, 1]) })).toThrow(
      ShapeError,
    );
    const wrong = { outputGradients: { third: tensor([1, 2], [2, 1]) } };
    expect(() => model.inputGradients(images, wrong)).toThrow(
      "inputGradients: outputGradients: expected some of first, second, got third besides",
    );
  });

  it("pass through frozen layers and layers without weights, and are zero behind a comparison", () => {
    const model = net();
    const x = noise(5, 3, ...IMAGE);
    model.compile({ engine, loss: losses.softmaxCrossEntropy() });
    const free = model.inputGradients(x, LABELS);
    for (const layer of model.layers) layer.trainable = false;
    model.compile({ engine, loss: losses.softmaxCrossEntropy() });
    expect(bitsOf(model.inputGradients(x, LABELS).data)).toEqual(bitsOf(free.data));
    const step = sequential({ inputShape: [2], layers: [layers.flatten(), layers.unary({ kind: "sign" })] });
    step.compile({ engine });
    const seeds = { outputGradients: tensor([1, 1], [1, 2]) };
    expect([...step.inputGradients(tensor([1, 2], [1, 2]), seeds).data]).toEqual([0, 0]);
  });

  it("have the same bits for batches that came after larger ones, and on other engines with threads", async () => {
    const model = net();
    const x = noise(5, 3, ...IMAGE);
    const loss = losses.softmaxCrossEntropy();
    model.compile({ engine, loss });
    const expected = bitsOf(model.inputGradients(x, LABELS).data);
    model.inputGradients(noise(6, 9, ...IMAGE), new Int32Array(9));
    expect(bitsOf(model.inputGradients(x, LABELS).data)).toEqual(expected);
    const several = await load({ threads: 2 });
    model.compile({ engine: several, loss });
    expect(bitsOf(model.inputGradients(x, LABELS).data)).toEqual(expected);
    several.dispose();
  });

  it("write no memory but their own", () => {
    const model = net();
    model.compile({ engine, loss: losses.softmaxCrossEntropy() });
    const { ints } = engine.runtime.heap;
    const before = ints.slice(0, 256);
    model.inputGradients(noise(5, 3, ...IMAGE), LABELS);
    checkGradients(model, noise(5, 3, ...IMAGE), LABELS, { samples: 1 });
    expect(engine.runtime.heap.ints.slice(0, 256)).toEqual(before);
  });

  it("refuse what has no backward pass, wrong shapes, and labels without a loss", () => {
    const twice = defineLayer({ type: "twice", forward: ({ x, y }) => x.forEach((v, i) => (y[i] = 2 * v)) });
    const model = sequential({ inputShape: [2], layers: [twice()] });
    const x = tensor([1, 2], [1, 2]);
    expect(() => model.inputGradients(x, [0])).toThrow(/inputGradients: expected a compiled model/);
    model.compile({ engine });
    expect(() => model.inputGradients(x, [0])).toThrow(
      /inputGradients: expected a model compiled with a loss/,
    );
    const seed = (...shape: number[]) => ({ outputGradients: noise(1, ...shape) });
    expect(() => model.inputGradients(x, seed(2, 2))).toThrow(ShapeError);
    expect(() => model.inputGradients(x, seed(1, 2))).toThrow(
      new OptionError("inputGradients: expected layers with a backward pass, got twice (twice) without one"),
    );
  });
});
