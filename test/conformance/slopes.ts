/**
 * Gradients of layers by differences of the loss.
 *
 * The backward pass of a layer is held against its own model's loss. For a direction d of ±1 over one weight tensor, the
 * slope is D(h) = (L(w + h·d) − L(w − h·d)) / 2h, with L as training computes it, dropout's mask included. It is
 * compared with Σ d·gradient. What may lie between:
 * - truncation, c·h² + O(h⁴): D(h) and D(h/2) are extrapolated, which takes c away, and |D(h) − D(h/2)| = ¾·c·h² is more
 *   than the rest;
 * - the rounding of L: a layer's sums of k ≤ 72 terms err by about √k·u ≤ 9u, which walks at random through at most
 *   three layers with weights: 32u of L in all. D(h/2) turns that into 32u·L / (h/2), and the extrapolation adds a third
 *   of it and more: 3·32u·L / h bounds it.
 * Kinks stay out of reach: the first layer multiplies each pixel, |x| ≥ ¼, by a weight within h of 1, so no relu changes
 * its side, and no maximum its place.
 */
import { input, layers, losses, model as graph, optimizers, sequential, tensor } from "im2row";
import type { Engine, Layer, Loss, Model, Tensor } from "im2row";
import type { Between } from "../layers/support/cases.ts";
import { U } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import { holds } from "./expect.ts";

const H = 2 ** -6;
export const BATCH = 3;
export const IMAGE = [6, 5, 4] as const;
export const CLASSES = 3;

/** Images whose pixels stay away from zero and from each other. */
function images(): Tensor {
  const data = random(3);
  const count = BATCH * IMAGE[0] * IMAGE[1] * IMAGE[2];
  const pixels = Array.from({ length: count }, (_, i) => ({
    x: (i % 2 ? 1 : -1) * (0.25 + i / count),
    key: data.next(),
  }));
  pixels.sort((a, b) => a.key - b.key);
  return tensor(
    Float32Array.from(pixels, ({ x }) => x),
    [BATCH, ...IMAGE],
  );
}

export interface Slopes {
  model: Model;
  engine: Engine;
  loss: Loss;
  labels: Int32Array | Tensor;
}

/** The loss in one training step that changes nothing; the model holds its gradients. */
function measure({ model, engine, loss, labels }: Slopes): number {
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss });
  return model.trainOnBatch(images(), labels);
}

/** The slope in one direction of the weight `name`, and how far it may be from the gradient's. */
function slopeOf(given: Slopes, name: string, direction: Int32Array, lossHere: number): [number, number] {
  const { weights } = given.model;
  const { data, shape } = weights.get(name)!;
  const lossAt = (step: number): number => {
    const moved = data.map((w, i) => w + step * direction[i]!);
    given.model.setWeights(new Map([...weights, [name, tensor(moved, shape)]]));
    return measure(given);
  };
  const slope = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
  const [wide, narrow] = [slope(H), slope(H / 2)];
  given.model.setWeights(weights);
  return [(4 * narrow - wide) / 3, Math.abs(wide - narrow) + (3 * 32 * U * lossHere) / H];
}

/** Compares slope and gradient of each weight tensor in three random directions. */
export function expectSlopes(given: Slopes): void {
  const lossHere = measure(given);
  for (const [name, { data: gradient }] of given.model.gradients) {
    // The size of a slope in a random direction is about this.
    const size = Math.hypot(...gradient);
    for (let seed = 0; seed < 3; seed++) {
      const direction = random(seed)
        .integers(gradient.length, 0, 1)
        .map((bit) => 2 * bit - 1);
      const [slope, bound] = slopeOf(given, name, direction, lossHere);
      const expected = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
      holds(name, Math.abs(slope - expected) < bound, `a slope of ${expected} ± ${bound}`, slope);
      // A bound that says nothing would hold for a gradient of zero as well.
      holds(`${name}: bound`, bound < 0.1 * size, `less than ${0.1 * size}`, bound);
    }
  }
  given.model.dispose();
}

/** Multiplies each channel by a weight of its own: its gradient is what the next layer hands back. */
const front = (): Layer => layers.depthwiseConv2d({ kernelSize: 1, kernelInitializer: "ones" });

/** A net of the first layer and those behind it. */
export const behindFront = (seed: number, ...behind: Layer[]): Model =>
  sequential({ inputShape: IMAGE, layers: [front(), ...behind], seed });

/** A net that ends in classes, with a layer or a graph between its first layer and its last ones. */
export function around(between: Between, seed = 5): Model {
  const inputs = input({ shape: IMAGE });
  const x = front().apply(inputs);
  const made = between(x);
  const y = "apply" in made ? made.apply(x) : made;
  const outputs = layers.dense({ units: CLASSES }).apply(layers.flatten().apply(y));
  const net = graph({ inputs, outputs, seed });
  // Constants start with zeros, which would hide what is multiplied by them.
  const weights = [...net.weights].map(([name, { data, shape }]): [string, Tensor] => [
    name,
    name.endsWith(".constant") ? noise(seed, ...shape) : tensor(data, shape),
  ]);
  net.setWeights(new Map(weights));
  return net;
}

/** Compares slopes and gradients of the net around a layer or a graph, for classes as labels. */
export const expectSlopesAround = (engine: Engine, between: Between): void =>
  expectSlopes({
    model: around(between),
    engine,
    loss: losses.softmaxCrossEntropy(),
    labels: Int32Array.of(2, 0, 1),
  });
