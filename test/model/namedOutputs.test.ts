/** Models whose outputs are a record: their names, in all that goes by them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  input,
  layers,
  load,
  loadModel,
  losses,
  model,
  optimizers,
  tensor,
  type Engine,
} from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const x = noise(1, 3, 4);

function twoHeads() {
  const from = input({ shape: [4], name: "x" });
  const body = layers.dense({ units: 5, activation: "relu" }).apply(from);
  const outputs = {
    score: layers.dense({ units: 2, name: "head" }).apply(body),
    box: layers.dense({ units: 4 }).apply(body),
  };
  return model({ inputs: from, outputs, seed: 3 });
}

describe("a model with a record of outputs", () => {
  it("calls them by its names, in the order of the record", () => {
    const net = twoHeads();
    net.compile({ engine });
    expect(net.outputs).toEqual([
      { name: "score", shape: [2] },
      { name: "box", shape: [4] },
    ]);
    const { score, box } = net.predict({ x });
    expect([score.shape, box.shape]).toEqual([
      [3, 2],
      [3, 4],
    ]);
    const session = net.session({ batchSize: 3 });
    session.input.set(x.data);
    session.run();
    expect(session.outputs.score).toEqual(score.data);
    expect(session.outputs.box).toEqual(box.data);
    net.dispose();
  });

  it("has the weights of one whose outputs have the names of their layers", () => {
    const net = twoHeads();
    expect([...net.weights.keys()]).toContain("head.kernel");
  });

  it("takes losses and labels by them", () => {
    const net = twoHeads();
    const loss = { score: losses.softmaxCrossEntropy(), box: losses.meanSquaredError() };
    const compiled = net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss });
    expect(compiled).toBe(net);
    const labels = { score: [0, 1, 0], box: tensor(new Float32Array(12), [3, 4]) };
    const before = net.evaluate(x, labels);
    for (let step = 0; step < 20; step++) net.trainOnBatch(x, labels);
    const after = net.evaluate(x, labels);
    expect(Object.keys(after.outputs!)).toEqual(["score", "box"]);
    expect(after.loss).toBeLessThan(before.loss);
    net.dispose();
  });

  it("keeps them in its files", async () => {
    const net = twoHeads();
    net.compile({ engine });
    const { score } = net.predict({ x });
    const saved = loadModel(net.toSafetensors());
    saved.compile({ engine });
    expect(saved.predict({ x })["score"]).toEqual(score);
    const written = await loadOnnx(net.toOnnx(), { engine });
    expect(written.outputNames).toEqual(["score", "box"]);
    expect(written.predict({ x })["score"]!.data).toEqual(score.data);
    for (const each of [net, saved, written]) each.dispose();
  });

  it("keeps them in the file of a list of layers", () => {
    const from = input({ shape: [4] });
    const net = model({ inputs: from, outputs: { only: layers.dense({ units: 3 }).apply(from) } });
    expect(loadModel(net.toSafetensors()).outputs).toEqual([{ name: "only", shape: [3] }]);
  });

  it("may have one alone, by name or not", () => {
    const from = input({ shape: [4], name: "x" });
    const net = model({ inputs: from, outputs: { only: layers.dense({ units: 3 }).apply(from) } });
    net.compile({ engine });
    expect(net.predict({ x }).only).toEqual(net.predict(x));
    net.dispose();
  });

  it("is written with names of other layers of its own", async () => {
    const from = input({ shape: [4], name: "x" });
    const body = layers.dense({ units: 3, name: "body" }).apply(from);
    // The output has the name of the layer before it.
    const net = model({
      inputs: from,
      outputs: { body: layers.dense({ units: 2, name: "head" }).apply(body) },
    });
    net.compile({ engine });
    for (const layout of ["NCHW", "NHWC"] as const) {
      const written = await loadOnnx(net.toOnnx({ layout }), { engine });
      expect(written.predict({ x })["body"]!.data).toEqual(net.predict({ x }).body.data);
      written.dispose();
    }
    net.dispose();
  });

  it("has no output by the name of an input", () => {
    const from = input({ shape: [4], name: "x" });
    expect(() => model({ inputs: from, outputs: { x: layers.flatten().apply(from) } })).toThrow(
      "model: outputs: expected names that no input has, got x",
    );
  });

  it.each([
    ["none", {}, "model: outputs: expected what input() or layer.apply() returns, got {}"],
    [
      "a name in other letters",
      { "a b": 1 },
      'model: outputs: name: expected letters, digits, "_" and "-", got "a b"',
    ],
    ["what is no value", { a: 1 }, "model: outputs: expected what input() or layer.apply() returns, got 1"],
    ["null", null, "model: outputs: expected what input() or layer.apply() returns, got null"],
  ])("is refused with %s", (_, outputs, message) => {
    const inputs = input({ shape: [4] });
    expect(() => model({ inputs, outputs: outputs as never })).toThrow(message);
  });
});
