/**
 * The package against PyTorch (test/goldens/README.md).
 *
 * Both sides err. PyTorch's error against float64 is stored, as the largest of a tensor: `e`. It adds up vectors of
 * partial sums with fused multiply-adds, where every sum here is one running float32 sum, so this side is entitled to
 * more: to 3·e, which makes 4·e for the difference (the largest found is 2.03·e), and to the rounding of the value
 * itself, one ulp, for a tensor whose e happens to be small.
 */
import { losses, optimizers, tensor, type Engine, type Model, type Tensor } from "im2row";
import { ulp } from "../support/float.ts";
import { readGolden, type Golden } from "../support/golden.ts";
import type { Case, Context } from "./case.ts";
import { close, same, sameBits } from "./expect.ts";
import { hourglass } from "./hourglass.ts";
import { lenet5, normalized, strided, STRIDED } from "./nets.ts";
import { rearranged } from "./rearranged.ts";

const MULTIPLE = 4;

type Weights = ReadonlyMap<string, Tensor>;

interface InputGradient {
  logits: Tensor;
  /** Gradient of the first filters and of the images. */
  dw: Tensor;
  dx: Tensor;
}

interface Net {
  name: keyof Context["goldens"];
  build(): Model;
  /** The whole backward pass by the eager operators, where they can compute it. */
  eager?(engine: Engine, w: Weights, x: Tensor, labels: Int32Array): InputGradient;
}

const NETS: readonly Net[] = [
  { name: "lenet5", build: () => lenet5(1), eager: lenetInputGradient },
  { name: "strided", build: strided, eager: stridedInputGradient },
  { name: "hourglass", build: () => hourglass(1) },
  { name: "normalized", build: () => normalized(1) },
  { name: "rearranged", build: () => rearranged(1) },
];

/** A net with the golden's weights, ready to train. */
interface Open {
  engine: Engine;
  golden: Golden;
  model: Model;
  x: Tensor;
  labels: Int32Array;
}

function open({ name, build }: Net, { engine, goldens }: Context): Open {
  const golden = readGolden(name, goldens[name]);
  const model = build();
  model.setWeights(golden.family("weights"));
  const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  return { engine, golden, model, x: golden.get("x"), labels: Int32Array.from(golden.get("labels").data) };
}

function expectGolden(golden: Golden, actual: Tensor, key: string): void {
  const { shape, data } = golden.get(key);
  same(`${key}: shape`, actual.shape, shape);
  const e = golden.error(key);
  close(key, actual.data, data, (i) => MULTIPLE * e + ulp(data[i]!));
}

function expectGradients({ golden, model, x, labels }: Open): void {
  model.trainOnBatch(x, labels);
  const { gradients } = model;
  const names = [...golden.family("gradients").keys()];
  same("gradients: names", [...gradients.keys()].sort(), names.sort());
  for (const [key, gradient] of gradients) expectGolden(golden, gradient, `gradients/${key}`);
}

function expectEager({ engine, golden, model, x, labels }: Open, { eager }: Net): void {
  const logits = model.predict(x);
  const result = eager!(engine, golden.family("weights"), x, labels);
  sameBits("logits", result.logits.data, logits.data);
  expectGolden(golden, result.dx, "gradients/x");
  model.trainOnBatch(x, labels);
  sameBits("gradient of the first filters", result.dw.data, model.gradients.get("conv2d.kernel")!.data);
}

function expectTraining({ golden, model, x, labels }: Open, { name }: Net): void {
  const found = Float32Array.from({ length: 10 }, () => model.trainOnBatch(x, labels));
  expectGolden(golden, tensor(found, [10]), "losses");
  const after = golden.family("weights_after");
  same("number of weights", after.size, name === "lenet5" ? 0 : model.weights.size);
  for (const key of after.keys()) expectGolden(golden, model.weights.get(key)!, `weights_after/${key}`);
}

const reshape = ({ data }: Tensor, shape: readonly number[]): Tensor => tensor(data, shape);

/** Dense layers with relu between them: logits, and the gradient of the input. */
function denseChain(
  engine: Engine,
  w: Weights,
  names: string[],
  input: Tensor,
  labels: Int32Array,
): [Tensor, Tensor] {
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

function lenetInputGradient(engine: Engine, w: Weights, x: Tensor, labels: Int32Array): InputGradient {
  const [w1, w2] = [w.get("conv2d.kernel")!, w.get("conv2d_1.kernel")!];
  const bias1 = { bias: w.get("conv2d.bias")!, activation: "relu" } as const;
  const bias2 = { bias: w.get("conv2d_1.bias")!, activation: "relu" } as const;
  const a1 = engine.conv2d(x, w1, { padding: "same", ...bias1 });
  const p1 = engine.maxPool2d(a1, { poolSize: 2 });
  const a2 = engine.conv2d(p1.y, w2, bias2);
  const p2 = engine.maxPool2d(a2, { poolSize: 2 });
  const flat = reshape(p2.y, [x.shape[0]!, 400]);
  const [logits, dFlat] = denseChain(engine, w, ["dense", "dense_1", "dense_2"], flat, labels);
  const dA2 = engine.maxPool2dBackprop(reshape(dFlat, p2.y.shape), p2.argmax, a2.shape);
  const dZ2 = engine.activationBackprop(dA2, a2, "relu");
  const dP1 = engine.conv2dBackpropInput(dZ2, w2, p1.y.shape);
  const dA1 = engine.maxPool2dBackprop(dP1, p1.argmax, a1.shape);
  const dZ1 = engine.activationBackprop(dA1, a1, "relu");
  const dw = engine.conv2dBackpropFilter(x, dZ1, w1.shape, { padding: "same" });
  return { logits, dw, dx: engine.conv2dBackpropInput(dZ1, w1, x.shape, { padding: "same" }) };
}

function stridedInputGradient(engine: Engine, w: Weights, x: Tensor, labels: Int32Array): InputGradient {
  const names = ["conv2d", "conv2d_1", "conv2d_2"];
  const kinds = ["tanh", { leakyRelu: 0.1 }, "sigmoid"] as const;
  const outputs = [x];
  names.forEach((name, i) => {
    const bias = w.get(`${name}.bias`)!;
    const options = { ...STRIDED[i], bias, activation: kinds[i]! };
    outputs.push(engine.conv2d(outputs[i]!, w.get(`${name}.kernel`)!, options));
  });
  const flat = reshape(outputs[3]!, [x.shape[0]!, 60]);
  const [logits, dFlat] = denseChain(engine, w, ["dense"], flat, labels);
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

const EAGER =
  "the gradient of the images through the eager operators, whose other results are the model's bits";

/** The comparisons, each on a net of its own. */
const CHECKS: Record<string, (opened: Open, net: Net) => void> = {
  "the outputs": ({ golden, model, x }) => expectGolden(golden, model.predict(x), "logits"),
  "the gradient of every weight": expectGradients,
  [EAGER]: expectEager,
  "the losses over ten steps of SGD with momentum, and the weights after": expectTraining,
};

const checksOf = ({ eager }: Net): [what: string, check: (opened: Open, net: Net) => void][] =>
  Object.entries(CHECKS).filter(([what]) => eager !== undefined || what !== EAGER);

export const goldenCases: readonly Case[] = NETS.flatMap((net) =>
  checksOf(net).map(([what, check]): Case => ({
    name: `${net.name} of PyTorch: ${what}`,
    run(context) {
      const opened = open(net, context);
      check(opened, net);
      opened.model.dispose();
    },
  })),
);
