/** Models drawn as graphs: several inputs and outputs, shared layers, files. */
import { input, layers, loadModel, losses, model, optimizers, sequential, tensor } from "im2row";
import type { Engine, Model, Tensor } from "im2row";
import { noise, weightBits } from "../support/model.ts";
import type { Case, Context } from "./case.ts";
import { same, sameBits } from "./expect.ts";
import { branched } from "./nets.ts";

const COUNT = 5;
const inputs = { image: noise(1, COUNT, 8, 7, 4), extra: noise(2, COUNT, 6) };
const labels = { kind: Int32Array.of(0, 2, 1, 1, 0), place: noise(3, COUNT, 2) };
const loss = { kind: losses.softmaxCrossEntropy(), place: losses.meanSquaredError() };

function trained(engine: Engine): Model {
  const net = branched(3);
  net.compile({ engine, optimizer: optimizers.adam({ learningRate: 0.01 }), loss });
  for (let step = 0; step < 3; step++) net.trainOnBatch(inputs, labels);
  return net;
}

/** A graph's file gives the same model again; so does a model of the same layers that was given its weights. */
function expectSaved({ engine }: Context): void {
  const net = trained(engine);
  const expected = net.predict(inputs);
  same("outputs", Object.keys(expected), ["kind", "place"]);
  const restored = loadModel(net.toSafetensors());
  restored.compile({ engine });
  const again = restored.predict(inputs, { batchSize: 2 });
  for (const name of ["kind", "place"]) sameBits(name, again[name]!.data, expected[name]!.data);
  same("names", [restored.inputs, restored.outputs], [net.inputs, net.outputs]);
  same("file", restored.toSafetensors(), net.toSafetensors());
  const copy = branched(9);
  copy.setWeights(net.weights);
  copy.compile({ engine });
  sameBits("copy", copy.predict(inputs)["place"]!.data, expected["place"]!.data);
  for (const each of [net, restored, copy]) each.dispose();
}

/** A session takes inputs and gives outputs by name. */
function expectSession({ engine }: Context): void {
  const net = trained(engine);
  const expected = net.predict(inputs);
  const session = net.session({ batchSize: COUNT });
  same(
    "names",
    [Object.keys(session.inputs), Object.keys(session.outputs)],
    [
      ["image", "extra"],
      ["kind", "place"],
    ],
  );
  session.inputs["image"]!.set(inputs.image.data);
  session.inputs["extra"]!.set(inputs.extra.data);
  session.run();
  for (const name of ["kind", "place"]) sameBits(name, session.outputs[name]!, expected[name]!.data);
  net.dispose();
}

/** `fit` on records trains as the same batches one by one; `evaluate` tells each output's loss and their sum. */
async function expectFit({ engine }: Context): Promise<void> {
  const [fitted, stepped] = [branched(3), branched(3)];
  for (const net of [fitted, stepped]) {
    net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.05 }), loss });
  }
  const history = await fitted.fit(inputs, labels, { epochs: 2, batchSize: COUNT, shuffle: false });
  const steps = [0, 1].map(() => stepped.trainOnBatch(inputs, labels));
  same("losses", history.loss, steps);
  same("weights", weightBits(fitted), weightBits(stepped));
  const { loss: total, accuracy, outputs } = fitted.evaluate(inputs, labels, { batchSize: COUNT });
  const [kind, place] = [outputs!["kind"]!, outputs!["place"]!];
  same("sum of the losses", total, kind.loss + place.loss);
  same("accuracy", accuracy, (kind.accuracy + place.accuracy) / 2);
  for (const net of [fitted, stepped]) net.dispose();
}

/** A chain that is drawn is the list of its layers, to the bit and to the byte of its file. */
function expectChain({ engine }: Context): void {
  const make = () => [
    layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
    layers.flatten(),
    layers.dense({ units: 3 }),
  ];
  const [conv, flat, dense] = make() as [
    ReturnType<typeof layers.flatten>,
    ReturnType<typeof layers.flatten>,
    ReturnType<typeof layers.flatten>,
  ];
  const image = input({ shape: [6, 6, 2] });
  const drawn = model({ inputs: image, outputs: dense.apply(flat.apply(conv.apply(image))), seed: 4 });
  const listed = sequential({ inputShape: [6, 6, 2], layers: make(), seed: 4 });
  same("file", drawn.toSafetensors(), listed.toSafetensors());
  same("summary", drawn.summary(), listed.summary());
  const images = noise(4, 2, 6, 6, 2);
  for (const net of [drawn, listed]) net.compile({ engine });
  const [given, named]: [Tensor, Record<string, Tensor>] = [
    drawn.predict(images),
    listed.predict({ input: images }),
  ];
  sameBits("output", named["dense"]!.data, given.data);
  for (const net of [drawn, listed]) net.dispose();
}

/** Sums and products of small numbers are what they should be. */
function expectArithmetic({ engine }: Context): void {
  const [a, b] = [input({ shape: [2, 2], name: "a" }), input({ shape: [2, 2], name: "b" })];
  const one = layers.globalMaxPooling1d().apply(layers.reshape({ targetShape: [4, 1] }).apply(a));
  const outputs = [
    layers.add({ name: "sum" }).apply([a, b, a]),
    layers.multiply({ name: "product" }).apply([a, b, b]),
    layers.subtract({ name: "difference" }).apply([b, a]),
    layers.average({ name: "mean" }).apply([a, b, a, a]),
    layers.maximum({ name: "largest" }).apply([a, b, a]),
    layers.multiply({ name: "scaled" }).apply([layers.reshape({ targetShape: [4, 1] }).apply(a), one]),
    layers.add({ name: "shifted" }).apply([one, layers.reshape({ targetShape: [4, 1] }).apply(a)]),
    layers.concatenate({ name: "rows", axis: 1 }).apply([a, b]),
    layers.concatenate({ name: "columns" }).apply([b, a]),
  ];
  const net = model({ inputs: [a, b], outputs });
  net.compile({ engine });
  const given = { a: tensor([1, 2, 3, 4], [1, 2, 2]), b: tensor([5, 6, 7, 8], [1, 2, 2]) };
  const results = net.predict(given);
  same("sum", [...results["sum"]!.data], [7, 10, 13, 16]);
  same("product", [...results["product"]!.data], [25, 72, 147, 256]);
  same("difference", [...results["difference"]!.data], [4, 4, 4, 4]);
  same("mean", [...results["mean"]!.data], [2, 3, 4, 5]);
  same("largest", [...results["largest"]!.data], [5, 6, 7, 8]);
  same("scaled", [...results["scaled"]!.data], [4, 8, 12, 16]);
  same("shifted", [...results["shifted"]!.data], [5, 6, 7, 8]);
  same(
    "rows",
    [results["rows"]!.shape, [...results["rows"]!.data]],
    [
      [1, 4, 2],
      [1, 2, 3, 4, 5, 6, 7, 8],
    ],
  );
  same(
    "columns",
    [results["columns"]!.shape, [...results["columns"]!.data]],
    [
      [1, 2, 4],
      [5, 6, 1, 2, 7, 8, 3, 4],
    ],
  );
  net.dispose();
}

/** Frames and shapes move pixels to where they should be. */
function expectMoved({ engine }: Context): void {
  const x = input({ shape: [2, 3, 1] });
  const outputs = [
    layers
      .zeroPadding2d({
        name: "padded",
        padding: [
          [0, 1],
          [1, 0],
        ],
      })
      .apply(x),
    layers
      .cropping2d({
        name: "cropped",
        cropping: [
          [1, 0],
          [0, 1],
        ],
      })
      .apply(x),
    layers.reshape({ name: "reshaped", targetShape: [3, -1] }).apply(x),
    layers.globalMaxPooling2d({ name: "largest" }).apply(x),
    layers.cropping2d({ name: "whole", cropping: 0 }).apply(x),
  ];
  const net = model({ inputs: x, outputs });
  net.compile({ engine });
  const results = net.predict({ input: tensor([1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6], [2, 2, 3, 1]) });
  const expected: Record<string, [readonly number[], readonly number[]]> = {
    padded: [
      [2, 3, 4, 1],
      [0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0, 0, -1, -2, -3, 0, -4, -5, -6, 0, 0, 0, 0],
    ],
    cropped: [
      [2, 1, 2, 1],
      [4, 5, -4, -5],
    ],
    reshaped: [
      [2, 3, 2],
      [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6],
    ],
    largest: [
      [2, 1],
      [6, -1],
    ],
    whole: [
      [2, 2, 3, 1],
      [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6],
    ],
  };
  for (const [name, [shape, data]] of Object.entries(expected)) {
    same(`${name}: shape`, results[name]!.shape, shape);
    same(name, [...results[name]!.data], [...data]);
  }
  net.dispose();
}

export const graphCases: readonly Case[] = [
  { name: "a graph's values are summed, multiplied and joined", run: expectArithmetic },
  { name: "a graph's pixels are framed, cropped and reshaped", run: expectMoved },
  { name: "a graph with two inputs and outputs is saved and loaded", run: expectSaved },
  { name: "a graph's session has inputs and outputs by name", run: expectSession },
  { name: "a graph is fitted and evaluated on records", run: expectFit },
  { name: "a drawn chain is a list of layers", run: expectChain },
];
