import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  input,
  layers,
  load,
  loadModel,
  losses,
  model,
  optimizers,
  OptionError,
  ShapeError,
  type Engine,
} from "../../src/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { branched } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const image = (): ReturnType<typeof input> => input({ shape: [4, 4, 2], name: "image" });

describe("what does not connect is refused", () => {
  const x = image();
  const y = layers.flatten().apply(x);
  const other = input({ shape: [3] });
  const cases: [string, () => unknown, new (message: string) => Error, string][] = [
    [
      "no input",
      () => model({ inputs: [], outputs: y }),
      OptionError,
      "model: inputs: expected what input() or",
    ],
    [
      "a layer as an output",
      () => model({ inputs: x, outputs: layers.flatten() as never }),
      OptionError,
      "model: outputs: expected what input() or layer.apply() returns, got",
    ],
    [
      "a layer's output as an input",
      () => model({ inputs: y, outputs: layers.dense({ units: 1 }).apply(y) }),
      OptionError,
      "model: inputs[0]: expected what input() returns, got the output of flatten",
    ],
    [
      "an input that nothing needs",
      () => model({ inputs: [x, other], outputs: y }),
      OptionError,
      "model: inputs[1]: expected an input that an output depends on, got one that none does",
    ],
    [
      "an input that is missing",
      () =>
        model({
          inputs: x,
          outputs: layers.add().apply([layers.dense({ units: 3 }).apply(y), other]),
        }),
      OptionError,
      "model: inputs: expected every input that the outputs depend on, got none called (without a name) of shape 3",
    ],
    [
      "an input as an output",
      () => model({ inputs: x, outputs: [y, x] }),
      OptionError,
      "model: outputs[1]: expected the output of a layer, got an input",
    ],
    [
      "an output twice",
      () => model({ inputs: x, outputs: [y, y] }),
      OptionError,
      "model: outputs[1]: expected each value once, got the same again",
    ],
    [
      "two inputs of one name",
      () => {
        const [a, b] = [image(), image()];
        return model({ inputs: [a, b], outputs: layers.add().apply([a, b]) });
      },
      OptionError,
      'input: name: expected a name of its own, got "image" for the second time',
    ],
    [
      "a name with a space",
      () => {
        const a = input({ shape: [1], name: "a b" });
        return model({ inputs: a, outputs: layers.flatten().apply(a) });
      },
      OptionError,
      'input: name: expected letters, digits, "_" and "-", got "a b"',
    ],
    [
      "no shape",
      () => input({ shape: [0] }),
      ShapeError,
      "input: shape: expected a shape of positive integers",
    ],
    [
      "a seed below zero",
      () => model({ inputs: x, outputs: y, seed: -1 }),
      OptionError,
      "model: seed: expected",
    ],
    ["an unknown option", () => model({ input: x } as never), OptionError, "model: expected the options"],
    [
      "two values for a layer that takes one",
      () => layers.flatten({ name: "flat" }).apply([x, x]),
      ShapeError,
      "flat: expected one input, got 2",
    ],
    [
      "one value for add",
      () => layers.add().apply(x),
      ShapeError,
      "add: expected at least two inputs, got 1",
    ],
    [
      "shapes that differ in add",
      () => layers.add().apply([x, y]),
      ShapeError,
      "add: expected inputs of one shape, or an image and a row of its channels, got 4×4×2 and 32",
    ],
    [
      "three values for subtract",
      () => layers.subtract().apply([x, x, x]),
      ShapeError,
      "subtract: expected two inputs, got 3",
    ],
    [
      "a row for maximum",
      () => layers.maximum().apply([x, input({ shape: [2] })]),
      ShapeError,
      "maximum: expected inputs of one shape, got 4×4×2 and 2",
    ],
    [
      "one value for average",
      () => layers.average().apply([x]),
      ShapeError,
      "average: expected at least two inputs, got 1",
    ],
    [
      "a row of other channels",
      () => layers.multiply().apply([x, input({ shape: [3] })]),
      ShapeError,
      "multiply: expected inputs of one shape, or an image and a row of its channels, got 4×4×2 and 3",
    ],
    [
      "a row and two images",
      () => layers.multiply().apply([x, x, input({ shape: [2] })]),
      ShapeError,
      "multiply: expected inputs of one shape, or an image and a row of its channels, got 4×4×2 and 2",
    ],
    [
      "shapes that differ in another axis",
      () => layers.concatenate().apply([x, input({ shape: [4, 3, 2] })]),
      ShapeError,
      "concatenate: expected inputs that differ in axis -1 alone, got 4×4×2 and 4×3×2",
    ],
    [
      "an axis that is not there",
      () => layers.concatenate({ axis: 4 }).apply([x, x]),
      ShapeError,
      "concatenate: axis: expected from 1 to 3 or from -3 to -1 for 3 dimensions besides the batch, got 4",
    ],
    [
      "the batch as an axis",
      () => layers.concatenate({ axis: 0 }),
      OptionError,
      "concatenate: axis: expected an integer other",
    ],
    [
      "nothing to apply to",
      () => layers.add().apply([]),
      OptionError,
      "add: apply: expected what input() or",
    ],
  ];
  it.each(cases)("%s", (_name, make, kind, message) => {
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });
});

describe("a model with several inputs and outputs", () => {
  const inputs = { image: noise(1, 3, 8, 7, 4), extra: noise(2, 3, 6) };
  const labels = { kind: [0, 1, 2], place: noise(3, 3, 2) };
  const { softmaxCrossEntropy, meanSquaredError } = losses;

  function compiled(): ReturnType<typeof branched> {
    const net = branched(1);
    const loss = { kind: softmaxCrossEntropy(), place: meanSquaredError() };
    net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.01 }), loss });
    return net;
  }

  const refusals: [string, (net: ReturnType<typeof compiled>) => unknown, string][] = [
    ["one tensor", (net) => net.predict(inputs.image), "predict: images: expected a record of image, extra"],
    [
      "a missing input",
      (net) => net.predict({ image: inputs.image }),
      "expected image, extra, got none called extra",
    ],
    ["an unknown input", (net) => net.predict({ ...inputs, more: inputs.extra }), "got more besides"],
    [
      "batches of different sizes",
      (net) => net.predict({ ...inputs, extra: noise(2, 4, 6) }),
      "predict: images: extra: expected shape 3×6, got 4×6",
    ],
    [
      "labels for one output",
      (net) => net.trainOnBatch(inputs, [0, 1, 2]),
      "trainOnBatch: labels: expected a record",
    ],
    [
      "a label that is no class",
      (net) => net.trainOnBatch(inputs, { ...labels, kind: [0, 3, 1] }),
      "trainOnBatch: labels: kind[1]: expected a class from 0 to 2, got 3",
    ],
    [
      "the session's one input",
      (net) => net.session().input,
      "session.input: expected a model with one input, got 2",
    ],
    [
      "the session's one output",
      (net) => net.session().output,
      "session.output: expected a model with one output",
    ],
    ["the one shape", (net) => net.inputShape, "inputShape: expected a model with one, got 2"],
  ];
  it.each(refusals)("refuses %s", (_name, run, message) => {
    const net = compiled();
    expect(() => run(net)).toThrow(message);
    net.dispose();
  });

  it("refuses losses that are not one an output", () => {
    const net = branched(1);
    const optimizer = optimizers.sgd({ learningRate: 0.01 });
    const compile = (loss: object) => net.compile({ engine, optimizer, loss: loss as never });
    expect(() => compile({ kind: softmaxCrossEntropy() })).toThrow(
      "compile: loss: expected kind, place, got none called place",
    );
    expect(() => compile({ kind: softmaxCrossEntropy(), place: 1 })).toThrow(
      "compile: loss: place: expected one of losses.*, got 1",
    );
  });

  it("takes one loss for all outputs", () => {
    const net = branched(1);
    net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.01 }), loss: meanSquaredError() });
    const targets = { kind: noise(4, 3, 3), place: labels.place };
    const before = net.trainOnBatch(inputs, targets);
    expect(net.evaluate(inputs, targets).loss).toBeLessThan(before);
    net.dispose();
  });

  it("tells what each layer reads", () => {
    const lines = branched(1).summary().split("\n");
    expect(lines[0]).toMatch(/^layer +type +output +weights +reads$/);
    expect(lines.find((line) => line.startsWith("shared:1"))).toMatch(/conv2d +8×7×8 +shared +shared$/);
    expect(lines.find((line) => line.startsWith("add "))).toMatch(/add +8×7×8 +0 +conv2d, shared, shared:1$/);
  });

  it("predicts one output from one tensor only when there is one", () => {
    const x = image();
    const outputs = [layers.flatten({ name: "a" }).apply(x), layers.dense({ units: 2, name: "b" }).apply(x)];
    const net = model({ inputs: x, outputs });
    net.compile({ engine });
    const given = noise(1, 2, 4, 4, 2);
    expect(() => net.predict(given)).toThrow("predict: images by name: expected a model with one, got 2");
    expect(Object.keys(net.predict({ image: given }))).toEqual(["a", "b"]);
    expect(net.predict({ image: given })["a"]!.data).toEqual(given.data);
    net.dispose();
  });
});

describe("a broken graph in a file is refused", () => {
  const change = (alter: (architecture: Record<string, any>) => void): Uint8Array => {
    const net = branched(1);
    const { metadata } = decodeSafetensors(net.toSafetensors());
    const architecture = JSON.parse(metadata["architecture"]!) as Record<string, any>;
    alter(architecture);
    return encodeSafetensors(net.weights, { format: "im2row", architecture: JSON.stringify(architecture) });
  };
  it.each([
    [
      "an output that is no node",
      (a: Record<string, any>) => void (a["outputs"] = ["none"]),
      'the name of an earlier node, got "none"',
    ],
    [
      "an input as output",
      (a: Record<string, any>) => void (a["outputs"] = ["image"]),
      "expected outputs of layers",
    ],
    ["no outputs", (a: Record<string, any>) => void (a["outputs"] = []), "expected a list of outputs"],
    ["no inputs", (a: Record<string, any>) => void (a["inputs"] = []), "expected a list of inputs"],
    [
      "a node twice",
      (a: Record<string, any>) => void a["nodes"].push(a["nodes"][0]),
      "expected a different name for each node",
    ],
    [
      "a cycle",
      (a: Record<string, any>) => void (a["nodes"][0].inputs = ["kind"]),
      'the name of an earlier node, got "kind"',
    ],
    [
      "a use of nothing",
      (a: Record<string, any>) => void (a["nodes"][2].shares = "none"),
      'the name of an earlier node, got "none"',
    ],
  ])("%s", (_name, alter, message) => {
    expect(() => loadModel(change(alter))).toThrow(message);
  });
});

it("the loss of a frozen output that other layers read writes nowhere but to its gradient", () => {
  const x = input({ shape: [8] });
  const before = layers.dense({ units: 4096 });
  const middle = before.apply(x);
  const net = model({ inputs: x, outputs: [middle, layers.dense({ units: 3 }).apply(middle)] });
  before.trainable = false;
  net.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1 }),
    loss: losses.meanSquaredError(),
  });
  // The binary's own data: a gradient without a place would go there.
  const bits = (): Int32Array => engine.runtime.heap.ints.slice(0, 4096);
  const own = bits();
  const [first, last] = net.outputs.map(({ name }) => name) as [string, string];
  net.trainOnBatch(noise(1, 1, 8), { [first]: noise(2, 1, 4096), [last]: noise(3, 1, 3) });
  expect(bits()).toEqual(own);
  net.dispose();
});
