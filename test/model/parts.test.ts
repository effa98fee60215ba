/** The layers of a model by name, their weights, how many they are, and copies of models. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
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
} from "../../src/index.ts";
import { bitsOf } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const net = (): Model =>
  sequential({
    inputShape: [6, 6, 2],
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, name: "first" }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
    seed: 5,
  });

const [x, labels] = [noise(1, 4, 6, 6, 2), Int32Array.of(0, 1, 2, 3)];

function trained(model: Model): Model {
  model.compile({
    engine,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: losses.softmaxCrossEntropy(),
  });
  for (let step = 0; step < 3; step++) model.trainOnBatch(x, labels);
  return model;
}

describe("a layer of a model", () => {
  it("is found by the name that summary has", () => {
    const model = net();
    expect(model.getLayer("first")).toBe(model.layers[0]);
    expect(model.getLayer("dense")).toBe(model.layers[4]);
    expect(() => model.getLayer("dense_1")).toThrow(
      new OptionError(
        'getLayer: expected one of the layers first, batchNormalization, dropout, flatten, dense, got "dense_1"',
      ),
    );
  });

  it("has its weights by their own names, all or none of which are replaced", () => {
    const model = net();
    const own = model.layerWeights("first");
    expect([...own.keys()]).toEqual(["kernel", "bias"]);
    expect(own.get("kernel")).toEqual(model.weights.get("first.kernel"));
    expect(model.layerWeights("flatten").size).toBe(0);
    const before = weightBits(model);
    const bias = tensor([1, 2, 3], [3]);
    expect(() => model.setLayerWeights("first", new Map([["bias", bias]]))).toThrow(
      "setLayerWeights: first.kernel: expected shape 3×3×2×3, got no such tensor",
    );
    expect(() => model.setLayerWeights("first", new Map([...own, ["slope", bias]]))).toThrow(ShapeError);
    expect(weightBits(model)).toEqual(before);
    // Sessions that were made before read the new weights.
    model.compile({ engine });
    model.predict(x);
    model.setLayerWeights("first", new Map([...own, ["bias", bias]]));
    expect([...model.layerWeights("first").get("bias")!.data]).toEqual([1, 2, 3]);
    const same = net();
    same.setWeights(model.weights);
    same.compile({ engine });
    expect(bitsOf(model.predict(x).data)).toEqual(bitsOf(same.predict(x).data));
    expect(weightBits(model)).toEqual({ ...before, "first.bias": bitsOf(bias.data) });
  });

  it("may be used several times, with one set of weights", () => {
    const dense = layers.dense({ units: 3, name: "twice" });
    const from = input({ shape: [3] });
    const model = graph({ inputs: from, outputs: dense.apply(dense.apply(from)) });
    expect(model.getLayer("twice")).toBe(dense);
    expect(model.countParams()).toBe(12);
    expect(() => model.layerWeights("twice:1")).toThrow(
      /layerWeights: expected one of the layers twice, got/,
    );
  });
});

describe("the number of weights", () => {
  it("is that of those that learn and those that do not, as layers are frozen now", () => {
    const model = net();
    // 3·3·2·3 + 3; scale, shift, mean, variance of 3; 48·4 + 4.
    expect(model.countParams()).toBe(57 + 12 + 196);
    expect(model.countParams({ trainable: true })).toBe(57 + 6 + 196);
    expect(model.countParams({ trainable: false })).toBe(6);
    model.getLayer("first").trainable = false;
    expect(model.countParams({ trainable: false })).toBe(63);
    expect(() => model.countParams({ trainable: 1 } as object)).toThrow("countParams: trainable: expected");
  });
});

describe("a clone", () => {
  it("has the weights and goes its own way, layers and all", () => {
    const model = trained(net());
    model.metadata = { classNames: ["a", "b", "c", "d"] };
    model.getLayer("first").trainable = false;
    const copy = model.clone();
    expect(copy.isCompiled).toBe(false);
    expect(copy.metadata).toEqual(model.metadata);
    expect(weightBits(copy)).toEqual(weightBits(model));
    expect(copy.toSafetensors()).toEqual(model.toSafetensors());
    const kernel = bitsOf(model.weights.get("first.kernel")!.data);
    const before = weightBits(model);
    trained(copy);
    expect(bitsOf(copy.weights.get("first.kernel")!.data)).toEqual(kernel);
    expect(copy.weights.get("dense.kernel")).not.toEqual(model.weights.get("dense.kernel"));
    expect(weightBits(model)).toEqual(before);
    copy.getLayer("first").trainable = true;
    expect(model.getLayer("first").trainable).toBe(false);
  });

  it("trains as a model of the same weights does, with dropout's masks", () => {
    const [model, same] = [net(), net()];
    expect(weightBits(trained(model.clone()))).toEqual(weightBits(trained(same)));
  });

  it("is made of layers of users and composed ones too, registered or not", () => {
    const twice = defineLayer({ type: "twice", forward: ({ x: from, y }) => y.set(from.map((v) => 2 * v)) });
    const block = defineLayer({
      type: "block",
      compose: () => {
        const dense = layers.dense({ units: 3 });
        return (value) => twice().apply(dense.apply(value));
      },
    });
    const model = sequential({ inputShape: [3], layers: [block(), layers.dense({ units: 2 })] });
    const copy = model.clone();
    for (const each of [model, copy]) each.compile({ engine });
    const images = noise(2, 4, 3);
    expect(bitsOf(copy.predict(images).data)).toEqual(bitsOf(model.predict(images).data));
  });
});
