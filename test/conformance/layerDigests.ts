/**
 * Digests over what training makes of nets around single layers: of those layers that name one among their cases
 * (`test/layers/<layer>.cases.ts`). A new layer brings its digest there, and changes no digest that stands elsewhere.
 */
import { layers, losses, optimizers, sequential } from "im2row";
import type { Engine, Model } from "im2row";
import { LAYER_CASES } from "../layers/all.ts";
import type { LayerCases } from "../layers/support/cases.ts";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";
import type { Case } from "./case.ts";
import { same } from "./expect.ts";
import { around, BATCH, CLASSES, IMAGE } from "./slopes.ts";

const STEPS = 10;

/** The first net whose gradients are tested, or for a layer that has none the layer in front of all that learns. */
function netOf({ defaults: [layer], gradients }: LayerCases): Model {
  const [between] = Object.values(gradients);
  if (between) return around(between);
  const ending = [layers.flatten(), layers.dense({ units: CLASSES })];
  return sequential({ inputShape: IMAGE, layers: [layer, ...ending], seed: 5 });
}

/** The digest over all weights and outputs of that net after a few steps by Adam. */
function digestOf(engine: Engine, cases: LayerCases): string {
  const hash = new Digest();
  const net = netOf(cases);
  const optimizer = optimizers.adam({ learningRate: 0.01 });
  net.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < STEPS; step++) {
    net.trainOnBatch(noise(step, BATCH, ...net.inputShape), Int32Array.of(2, 0, 1));
  }
  for (const { data } of net.weights.values()) hash.elements(data);
  hash.elements(net.predict(noise(STEPS, BATCH, ...net.inputShape)).data);
  net.dispose();
  return hash.toString();
}

const digested = Object.entries(LAYER_CASES).filter(([, { digest }]) => digest !== undefined);

/** The types of the layers that have a digest of their own. */
export const DIGESTED: readonly string[] = digested.map(([type]) => type);

export const layerDigestCases: readonly Case[] = digested.map(([type, cases]) => ({
  name: `a net around ${type} after ${STEPS} steps has the digest of its cases`,
  run: ({ engine }) => same(type, digestOf(engine, cases), cases.digest),
}));
