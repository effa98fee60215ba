/**
 * Digests over the weights that training makes of single layers, one a layer: of those that `weightsDigest` does not hold.
 * A new layer adds a net here and its line to `digests.json`, and changes no digest that stands there.
 */
import { losses, optimizers, tensor } from "im2row";
import type { Engine, Model } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";

const STEPS = 10;
const BATCH = 3;

/** By the type of the layer, a net of one input and one output that holds it. */
export const LAYER_NETS: Readonly<Record<string, () => Model>> = {};

/** The digest over all weights of the net of a layer, and over its outputs, after a few steps by Adam. */
export function layerDigest(engine: Engine, type: string): string {
  const hash = new Digest();
  const net = LAYER_NETS[type]!();
  if (!net.layers.some((layer) => layer.type === type)) throw new Error(`${type}: no layer of its net`);
  net.compile({
    engine,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: losses.meanSquaredError(),
  });
  const images = (step: number): ReturnType<typeof tensor> => noise(step, BATCH, ...net.inputShape);
  for (let step = 0; step < STEPS; step++) {
    net.trainOnBatch(images(step), noise(1000 + step, BATCH, ...net.outputShape));
  }
  for (const { data } of net.weights.values()) hash.elements(data);
  hash.elements(net.predict(images(STEPS)).data);
  net.dispose();
  return hash.toString();
}
