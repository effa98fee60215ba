/** The digests over the weights that training makes of every layer, activation and optimizer. */
import { losses, optimizers, tensor } from "im2row";
import { loadOnnx } from "im2row/onnx";
import type { Engine, Loss, Model, Optimizer, Tensor } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import { hourglass } from "./hourglass.ts";
import { branched, everyLayer, generic, normalized, residual, softmaxNet, winogradNet } from "./nets.ts";

export const STEPS = 50;
export const RESIDUAL_STEPS = 20;

/** `STEPS` steps on noise. */
function train(model: Model, labelsOf: (step: number) => Int32Array | Tensor): void {
  for (let step = 0; step < STEPS; step++) {
    const labels = labelsOf(step);
    const n = labels instanceof Int32Array ? labels.length : labels.shape[0]!;
    model.trainOnBatch(noise(step, n, ...model.inputShape), labels);
  }
}

export const OPTIMIZERS: readonly (() => Optimizer)[] = [
  () => optimizers.sgd({ learningRate: 0.1 }),
  () => optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  () => optimizers.adam({ learningRate: (step) => 0.01 / (1 + step) }),
  () => optimizers.adamw({ learningRate: 0.01, weightDecay: 0.1 }),
];

/** Optimizers that came later, which have a digest of their own. */
export const LATER_OPTIMIZERS: readonly (() => Optimizer)[] = [
  () => optimizers.rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true, weightDecay: 0.01 }),
  () => optimizers.adagrad({ learningRate: 0.05 }),
  () => optimizers.lion({ learningRate: 0.002, weightDecay: 0.1 }),
  () => optimizers.lamb({ learningRate: 0.02, weightDecay: 0.1 }),
];

/** The digest over the weights after `STEPS` steps by each of them of a net of convolutions with normalizations. */
export function optimizersDigest(engine: Engine): string {
  const hash = new Digest();
  for (const optimizer of LATER_OPTIMIZERS) {
    const model = normalized(6);
    model.compile({ engine, optimizer: optimizer(), loss: losses.softmaxCrossEntropy() });
    train(model, (step) => random(7000 + step).integers(3, 0, 2));
    for (const { data } of model.weights.values()) hash.elements(data);
    model.dispose();
  }
  return hash.toString();
}

/**
 * The digest over the weights after 50 steps of a net of every layer by each optimizer, of one by Winograd's algorithm,
 * of one with softmax, of one whose images grow again, of one with normalizations whose gradients are clipped, and of a
 * graph.
 */
export function weightsDigest(engine: Engine): string {
  const hash = new Digest();
  const add = (
    model: Model,
    optimizer: Optimizer,
    loss: Loss,
    labelsOf: Parameters<typeof train>[1],
  ): void => {
    model.compile({ engine, optimizer, loss });
    train(model, labelsOf);
    for (const { data } of model.weights.values()) hash.elements(data);
    model.dispose();
  };
  for (const optimizer of OPTIMIZERS) {
    const labels = (step: number): Int32Array => random(1000 + step).integers(5, 0, 3);
    add(everyLayer(3), optimizer(), losses.softmaxCrossEntropy(), labels);
  }
  const labels = (step: number): Int32Array => random(2000 + step).integers(3, 0, 2);
  add(winogradNet(5), optimizers.sgd({ learningRate: 0.05 }), losses.softmaxCrossEntropy(), labels);
  const momentum = optimizers.sgd({ learningRate: 0.5, momentum: 0.5 });
  const rows = tensor([1, 0, 0, 0, 0.5, 0.5], [2, 3]);
  add(softmaxNet(2 ** 53 - 1), momentum, losses.meanSquaredError(), () => rows);
  const kinds = (step: number): Int32Array => random(4000 + step).integers(3, 0, 3);
  add(hourglass(8), optimizers.adam({ learningRate: 0.01 }), losses.softmaxCrossEntropy(), kinds);
  const clipped = optimizers.sgd({ learningRate: 0.05, momentum: 0.9, globalClipNorm: 0.5, clipValue: 0.1 });
  add(normalized(6), clipped, losses.softmaxCrossEntropy(), labels);
  const graph = branched(7);
  const loss = { kind: losses.softmaxCrossEntropy(), place: losses.meanSquaredError() };
  graph.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }), loss });
  for (let step = 0; step < STEPS; step++) {
    const inputs = { image: noise(step, 3, 8, 7, 4), extra: noise(step + 100, 3, 6) };
    const kind = random(3000 + step).integers(3, 0, 2);
    graph.trainOnBatch(inputs, { kind, place: noise(step + 200, 3, 2) });
  }
  for (const { data } of graph.weights.values()) hash.elements(data);
  graph.dispose();
  return hash.toString();
}

/** The digest over the weights of a net of the generic layers after its training. */
export function genericDigest(engine: Engine): string {
  const hash = new Digest();
  const net = generic(11);
  const optimizer = optimizers.sgd({ learningRate: 0.02, momentum: 0.9 });
  net.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < RESIDUAL_STEPS; step++) {
    net.trainOnBatch(noise(step, 4, 6, 5, 4), random(6000 + step).integers(4, 0, 2));
  }
  for (const { data } of net.weights.values()) hash.elements(data);
  net.dispose();
  return hash.toString();
}

/** The residual net after its training. */
function trainedResidual(engine: Engine): Model {
  const net = residual(9);
  const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
  net.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < RESIDUAL_STEPS; step++) {
    net.trainOnBatch(noise(step, 5, 10, 9, 6), random(5000 + step).integers(5, 0, 3));
  }
  return net;
}

/**
 * The digests over the weights of a residual, grouped, normalized net after its training, and over what the same net
 * computes when it comes back from the ONNX file that it makes.
 */
export async function importedDigests(engine: Engine): Promise<{ residual: string; imported: string }> {
  const net = trainedResidual(engine);
  const [weights, outputs] = [new Digest(), new Digest()];
  for (const { data } of net.weights.values()) weights.elements(data);
  const imported = await loadOnnx(net.toOnnx(), { engine });
  const [name] = imported.outputNames;
  const feed = { image: noise(77, 3, 6, 10, 9) };
  outputs.elements(imported.predict(feed)[name!]!.data as Float32Array);
  imported.dispose();
  net.dispose();
  return { residual: weights.toString(), imported: outputs.toString() };
}
