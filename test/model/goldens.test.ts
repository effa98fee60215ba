/**
 * The package against PyTorch (test/goldens/README.md).
 *
 * Both sides err. PyTorch's error against float64 is stored, as the largest of a tensor: `e`. It adds up vectors of
 * partial sums with fused multiply-adds, where every sum here is one running float32 sum, so this side is entitled to
 * more: to 3·e, which makes 4·e for the difference (the largest found is 2.03·e), and to the rounding of the value
 * itself, one ulp, for a tensor whose e happens to be small.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  tensor,
  type Engine,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { bitsOf, expectWithin, ulp } from "../support/float.ts";
import { lenet5, readGolden } from "../support/model.ts";

const MULTIPLE = 4;

function strided(): Model {
  return sequential({
    inputShape: [13, 11, 4],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, ...STRIDED[0], activation: "tanh" }),
      layers.conv2d({ filters: 12, kernelSize: [3, 2], ...STRIDED[1], activation: { leakyRelu: 0.1 } }),
      layers.conv2d({ filters: 6, kernelSize: [2, 3], ...STRIDED[2], activation: "sigmoid" }),
      layers.flatten(),
      layers.dense({ units: 5 }),
    ],
  });
}

/** Geometry of the three convolutions. */
const STRIDED = [
  {
    strides: 2,
    padding: [
      [1, 0],
      [2, 1],
    ],
  },
  { padding: "same", dilationRate: [2, 1], groups: 4 },
  { padding: "valid", strides: [1, 2], groups: 2 },
] as const;

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const NETS = [
  { name: "lenet5", build: () => lenet5(1), eager: lenetInputGradient },
  { name: "strided", build: strided, eager: stridedInputGradient },
];

describe.each(NETS)("$name of PyTorch", ({ name, build, eager }) => {
  const golden = readGolden(name);
  const x = golden.get("x");
  const labels = Int32Array.from(golden.get("labels").data);

  function compiled(): Model {
    const model = build();
    model.setWeights(golden.family("weights"));
    const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
    model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    return model;
  }

  function expectGolden(actual: Tensor, key: string): void {
    const { shape, data } = golden.get(key);
    expect(actual.shape).toEqual(shape);
    const e = golden.error(key);
    try {
      expectWithin(actual.data, data, (i) => MULTIPLE * e + ulp(data[i]!));
    } catch (error) {
      throw new Error(`${name}: ${key}: ${(error as Error).message}`, { cause: error });
    }
  }

  it("has the same outputs", () => {
    const model = compiled();
    expectGolden(model.predict(x), "logits");
    model.dispose();
  });

  it("has the same gradient of every weight", () => {
    const model = compiled();
    model.trainOnBatch(x, labels);
    const { gradients } = model;
    expect([...gradients.keys()].sort()).toEqual([...golden.family("gradients").keys()].sort());
    for (const [key, gradient] of gradients) expectGolden(gradient, `gradients/${key}`);
    model.dispose();
  });

  it("has the same gradient of the images through the eager operators, whose other results are the model's bits", () => {
    const model = compiled();
    const logits = model.predict(x);
    const result = eager(golden.family("weights"), x, labels);
    expect(bitsOf(result.logits.data)).toEqual(bitsOf(logits.data));
    expectGolden(result.dx, "gradients/x");
    model.trainOnBatch(x, labels);
    expect(bitsOf(result.dw.data)).toEqual(bitsOf(model.gradients.get("conv2d.kernel")!.data));
    model.dispose();
  });

  it("has the same losses over ten steps of SGD with momentum, and the same weights after", () => {
    const model = compiled();
    const found = Float32Array.from({ length: 10 }, () => model.trainOnBatch(x, labels));
    expectGolden(tensor(found, [10]), "losses");
    const after = golden.family("weights_after");
    expect(after.size).toBe(name === "strided" ? model.weights.size : 0);
    for (const key of after.keys()) expectGolden(model.weights.get(key)!, `weights_after/${key}`);
    model.dispose();
  });
});

interface InputGradient {
  logits: Tensor;
  /** Gradient of the first filters and of the images. */
  dw: Tensor;
  dx: Tensor;
}

type Weights = ReadonlyMap<string, Tensor>;

const reshape = ({ data }: Tensor, shape: readonly number[]): Tensor => tensor(data, shape);

/** Dense layers with relu between them: logits, and the gradient of the input. */
function denseChain(w: Weights, names: string[], input: Tensor, labels: Int32Array): [Tensor, Tensor] {
  const outputs = [input];
  for (const name of names) {
    const activation = name === names.at(-1) ? "linear" : "relu";
    const options = { bias: w.get(`${name}.bias`)!, activation } as const;
    outputs.push(engine.matMul(outputs.at(-1)!, w.get(`${name}.kernel`)!, options));
  }
  const logits = outputs.at(-1)!;
  let dy = engine.softmaxCrossEntropy(logits, labels).gradient;
  for (let i = names.length - 1; i >= 0; i--) {
    if (i < names.length - 1) dy = engine.activationBackprop(dy, outputs[i + 1]!, "relu");
    dy = engine.matMul(dy, w.get(`${names[i]}.kernel`)!, { transposeB: true });
  }
  return [logits, dy];
}

function lenetInputGradient(w: Weights, x: Tensor, labels: Int32Array): InputGradient {
  const [w1, w2] = [w.get("conv2d.kernel")!, w.get("conv2d_1.kernel")!];
  const bias1 = { bias: w.get("conv2d.bias")!, activation: "relu" } as const;
  const bias2 = { bias: w.get("conv2d_1.bias")!, activation: "relu" } as const;
  const a1 = engine.conv2d(x, w1, { padding: "same", ...bias1 });
  const p1 = engine.maxPool2d(a1, { poolSize: 2 });
  const a2 = engine.conv2d(p1.y, w2, bias2);
  const p2 = engine.maxPool2d(a2, { poolSize: 2 });
  const flat = reshape(p2.y, [x.shape[0]!, 400]);
  const [logits, dFlat] = denseChain(w, ["dense", "dense_1", "dense_2"], flat, labels);
  const dA2 = engine.maxPool2dBackprop(reshape(dFlat, p2.y.shape), p2.argmax, a2.shape);
  const dZ2 = engine.activationBackprop(dA2, a2, "relu");
  const dP1 = engine.conv2dBackpropInput(dZ2, w2, p1.y.shape);
  const dA1 = engine.maxPool2dBackprop(dP1, p1.argmax, a1.shape);
  const dZ1 = engine.activationBackprop(dA1, a1, "relu");
  const dw = engine.conv2dBackpropFilter(x, dZ1, w1.shape, { padding: "same" });
  return { logits, dw, dx: engine.conv2dBackpropInput(dZ1, w1, x.shape, { padding: "same" }) };
}

function stridedInputGradient(w: Weights, x: Tensor, labels: Int32Array): InputGradient {
  const names = ["conv2d", "conv2d_1", "conv2d_2"];
  const kinds = ["tanh", { leakyRelu: 0.1 }, "sigmoid"] as const;
  const outputs = [x];
  names.forEach((name, i) => {
    const bias = w.get(`${name}.bias`)!;
    const options = { ...STRIDED[i], bias, activation: kinds[i]! };
    outputs.push(engine.conv2d(outputs[i]!, w.get(`${name}.kernel`)!, options));
  });
  const flat = reshape(outputs[3]!, [x.shape[0]!, 60]);
  const [logits, dFlat] = denseChain(w, ["dense"], flat, labels);
  let dy = reshape(dFlat, outputs[3]!.shape);
  let dw = dy;
  for (let i = 2; i >= 0; i--) {
    const kernel = w.get(`${names[i]}.kernel`)!;
    dy = engine.activationBackprop(dy, outputs[i + 1]!, kinds[i]!);
    if (i === 0) dw = engine.conv2dBackpropFilter(x, dy, kernel.shape, STRIDED[0]);
    dy = engine.conv2dBackpropInput(dy, kernel, outputs[i]!.shape, STRIDED[i]!);
  }
  return { logits, dw, dx: dy };
}
