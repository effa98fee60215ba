import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, layers, load, loadModel, model, sequential, type Engine } from "../../src/index.ts";
import { noise } from "../support/model.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const image = (): ReturnType<typeof input> => input({ shape: [4, 4, 2], name: "image" });

describe("a layer used twice", () => {
  it("has one set of weights, in lists too", () => {
    const dense = layers.dense({ units: 5 });
    const net = sequential({
      inputShape: [5],
      layers: [dense, layers.activation({ activation: "tanh" }), dense],
    });
    expect([...net.weights.keys()]).toEqual(["dense.kernel", "dense.bias"]);
    expect(net.outputs).toEqual([{ name: "dense:1", shape: [5] }]);
    const restored = loadModel(net.toSafetensors());
    for (const each of [net, restored]) each.compile({ engine });
    const x = noise(1, 2, 5);
    expect(restored.predict(x)).toEqual(net.predict(x));
    for (const each of [net, restored]) each.dispose();
  });
});

describe("a layer in two models", () => {
  const x = image();
  const [first, middle, last] = [4, 4, 4].map((units) => layers.dense({ units }));
  const hidden = first!.apply(x);
  const code = middle!.apply(hidden);
  const whole = model({ inputs: x, outputs: last!.apply(code), seed: 1 });

  it("has weights of its own in each, which setWeights takes over by the layer, not by its name", () => {
    const from = input({ shape: [4, 4, 4] });
    const decoder = model({ inputs: from, outputs: last!.apply(middle!.apply(from)), seed: 2 });
    expect(decoder.weights.get("dense_1.kernel")).not.toEqual(whole.weights.get("dense_2.kernel"));
    decoder.compile({ engine });
    decoder.setWeights(whole);
    for (const [own, its] of [
      ["dense", "dense_1"],
      ["dense_1", "dense_2"],
    ]) {
      expect(decoder.weights.get(`${own}.kernel`)).toEqual(whole.weights.get(`${its}.kernel`));
    }
    whole.compile({ engine });
    const encoder = model({ inputs: x, outputs: hidden });
    encoder.compile({ engine });
    encoder.setWeights(whole);
    const pixels = noise(1, 3, 4, 4, 2);
    expect(decoder.predict(encoder.predict(pixels))).toEqual(whole.predict(pixels));
    for (const net of [decoder, encoder, whole]) net.dispose();
  });

  it("leaves other layers as they are", () => {
    const head = layers.dense({ units: 2, name: "head" });
    const tuned = model({ inputs: x, outputs: head.apply(hidden), seed: 3 });
    const before = tuned.weights.get("head.kernel");
    tuned.setWeights(whole);
    expect(tuned.weights.get("dense.kernel")).toEqual(whole.weights.get("dense.kernel"));
    expect(tuned.weights.get("head.kernel")).toEqual(before);
  });

  it("is needed, and of the same shape", () => {
    const flat = layers.flatten();
    const foreign = model({ inputs: x, outputs: layers.dense({ units: 4 }).apply(flat.apply(x)) });
    expect(() => foreign.setWeights(whole)).toThrow(
      "setWeights: expected a model with some of the same layers, got one without",
    );
    const wide = input({ shape: [4, 4, 5] });
    const other = model({ inputs: wide, outputs: first!.apply(wide) });
    const before = other.weights;
    expect(() => other.setWeights(whole)).toThrow(
      "setWeights: dense.kernel: expected shape 5×4, got shape 2×4",
    );
    expect(other.weights).toEqual(before);
  });
});
