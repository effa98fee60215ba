/** Activations of users, in every layer that takes one, against the same one of the package. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  checkGradients,
  defineActivation,
  layers,
  load,
  loadModel,
  losses,
  math,
  OptionError,
  optimizers,
  registerActivation,
  sequential,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import * as inference from "../../src/inference.ts";
import { bitsOf } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const mine = defineActivation({
  type: "mine",
  forward: ({ x, y }) => x.forEach((value, i) => (y[i] = Math.max(value, 0))),
  backward: ({ x, dy, dx }) => x.forEach((value, i) => (dx[i] = value > 0 ? dy[i]! : 0)),
});

/** Rows of equal sum of squares: every number of a row depends on all others. */
const unit = defineActivation({
  type: "unit",
  forward({ x, y, columns }) {
    for (let row = 0; row < x.length; row += columns) {
      let squares = 1;
      for (let j = row; j < row + columns; j++) squares += x[j]! * x[j]!;
      for (let j = row; j < row + columns; j++) y[j] = x[j]! / math.sqrt(squares);
    }
  },
  backward({ x, y, dy, dx, columns }) {
    for (let row = 0; row < x.length; row += columns) {
      let [squares, product] = [1, 0];
      for (let j = row; j < row + columns; j++) {
        squares += x[j]! * x[j]!;
        product += dy[j]! * y[j]!;
      }
      for (let j = row; j < row + columns; j++) dx[j] = (dy[j]! - product * y[j]!) / math.sqrt(squares);
    }
  },
});

type Given = Parameters<typeof layers.activation>[0]["activation"];

const KINDS: readonly (readonly [string, number[], (activation: Given) => Layer])[] = [
  ["dense", [5, 4], (activation) => layers.dense({ units: 3, activation })],
  ["conv2d", [6, 6, 3], (activation) => layers.conv2d({ filters: 4, kernelSize: 3, activation })],
  [
    "conv2d by Winograd",
    [12, 12, 8],
    (activation) => layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation }),
  ],
  ["depthwiseConv2d", [6, 6, 3], (activation) => layers.depthwiseConv2d({ kernelSize: 3, activation })],
  ["conv1d", [9, 3], (activation) => layers.conv1d({ filters: 4, kernelSize: 3, activation })],
  [
    "conv2dTranspose",
    [4, 4, 3],
    (activation) => layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, activation }),
  ],
  [
    "separableConv2d",
    [6, 6, 3],
    (activation) => layers.separableConv2d({ filters: 4, kernelSize: 3, activation }),
  ],
  ["activation", [6, 2], (activation) => layers.activation({ activation })],
];

describe.each(KINDS)("in %s", (_, inputShape, layer) => {
  const net = (activation: Given): Model =>
    sequential({
      inputShape,
      layers: [layer(activation), layers.flatten(), layers.dense({ units: 3 })],
      seed: 3,
    });
  const x = noise(1, 5, ...inputShape);
  const run = (model: Model): Model => {
    const optimizer = optimizers.sgd({ learningRate: 0.05 });
    model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    for (let step = 0; step < 3; step++) model.trainOnBatch(x, [0, 1, 2, 0, 1]);
    return model;
  };

  it("has the bits of the same one of the package, in training and inference", () => {
    const [own, same] = [run(net(mine)), run(net("relu"))];
    expect(weightBits(own)).toEqual(weightBits(same));
    expect(bitsOf(own.predict(x).data)).toEqual(bitsOf(same.predict(x).data));
  });

  it("has right gradients where rows hang together", () => {
    const check = checkGradients(layer(unit), { engine, inputShape });
    expect(check.ok, String(check)).toBe(true);
  });
});

describe("an activation of a user", () => {
  const model = (activation: Given): Model =>
    sequential({ inputShape: [4], layers: [layers.dense({ units: 3, activation })], seed: 1 });

  it("is saved and loaded by its name once it is registered", () => {
    const own = defineActivation({ type: "registered", forward: mine.forward, backward: mine.backward });
    const net = model(own);
    expect(() => net.toSafetensors()).toThrow(
      new OptionError(
        "activation: registered: expected one that registerActivation() knows, since loadModel could not make it again",
      ),
    );
    registerActivation(own);
    registerActivation(own);
    const file = net.toSafetensors();
    const x = noise(2, 4, 4);
    const wanted = bitsOf(net.compile({ engine }).predict(x).data);
    expect(bitsOf(loadModel(file).compile({ engine }).predict(x).data)).toEqual(wanted);
    expect(bitsOf(inference.loadModel(file).compile({ engine }).predict(x).data)).toEqual(wanted);
    const { forward, backward } = mine;
    const another = defineActivation({ type: "registered", forward, backward });
    expect(() => registerActivation(another)).toThrow(
      "registerActivation: registered: expected it once, got another one",
    );
  });

  it("is refused where it is wrong, and where it cannot be", () => {
    const { forward, backward } = mine;
    const wrong = (definition: object) => () =>
      defineActivation(definition as Parameters<typeof defineActivation>[0]);
    expect(wrong({ type: "a", forward })).toThrow("defineActivation: a: backward: expected a function");
    expect(wrong({ type: "relu", forward, backward })).toThrow(
      'defineActivation: type: expected a name that the package has not, got "relu"',
    );
    expect(wrong({ type: "a", forward, backward, slope: 1 })).toThrow(/defineActivation: .*"slope"/);
    expect(() => registerActivation({} as never)).toThrow(
      "registerActivation: expected what defineActivation()",
    );
    expect(() => model("unheard" as "relu")).toThrow(/dense: activation: expected one of/);
    expect(() => model(mine).toOnnx()).toThrow(/dense: activation: expected one of/);
    expect(() => engine.activation(noise(1, 2, 2), mine)).toThrow(/activation: expected one of/);
  });
});
