/**
 * Every layer that a sum and an activation can be fused into, at numbers of channels on both sides of a vector and of a panel,
 * with every activation: the bits of the layers one by one. Fast paths behind a size and an option are met together here.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, layers, load, model, type Activation, type Engine, type Layer } from "../../src/index.ts";
import { ACTIVATION } from "../../src/kernels/kernels.ts";
import { fuse } from "../../src/graph/fusion.ts";
import { bitsOf } from "../support/float.ts";
import { run, unfused } from "../support/fusion.ts";

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

/** Below a vector's four lanes, one, one and a rest, and two panels of eight with a rest. */
const CHANNELS = [1, 3, 4, 5, 19];

const NAMED = Object.keys(ACTIVATION).filter((name) => name !== "linear" && name !== "softmax");
const ACTIVATIONS = [
  ...(NAMED as Activation[]),
  { leakyRelu: 0.3 },
  { elu: 0.7 },
  { hardSigmoid: 0.25 },
] satisfies Activation[];

type Make = (channels: number, more: { activation?: Activation }) => Layer;

const LAYERS: Record<string, Make> = {
  "conv2d by patches": (filters, more) => layers.conv2d({ filters, kernelSize: 3, padding: "same", ...more }),
  "conv2d of every other pixel": (filters, more) =>
    layers.conv2d({ filters, kernelSize: 3, strides: 2, ...more }),
  "conv2d of single pixels": (filters, more) => layers.conv2d({ filters, kernelSize: 1, ...more }),
  "conv2d without bias": (filters, more) =>
    layers.conv2d({ filters, kernelSize: [1, 3], useBias: false, ...more }),
  depthwiseConv2d: (_, more) => layers.depthwiseConv2d({ kernelSize: 3, padding: "same", ...more }),
  "depthwiseConv2d of every other pixel": (_, more) =>
    layers.depthwiseConv2d({ kernelSize: [3, 2], strides: 2, useBias: false, ...more }),
  "depthwiseConv2d of two filters a channel": (_, more) =>
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, ...more }),
  conv2dTranspose: (filters, more) =>
    layers.conv2dTranspose({ filters, kernelSize: 3, strides: 2, padding: "same", ...more }),
  separableConv2d: (filters, more) =>
    layers.separableConv2d({ filters, kernelSize: 3, padding: "same", ...more }),
  dense: (units, more) => layers.dense({ units, ...more }),
};

const nameOf = (activation: Activation): string => JSON.stringify(activation);

describe.each(Object.entries(LAYERS))("%s", (_, make) => {
  it.each(CHANNELS)("has the bits of an activation by itself, of %i channels", (channels) => {
    for (const activation of ACTIVATIONS) {
      const x = input({ shape: [5, 4, channels], name: "image" });
      const sum = make(channels, {}).apply(x);
      const y = layers.activation({ activation }).apply(sum);
      const fused = model({ inputs: x, outputs: y, seed: channels });
      const expected = bitsOf(run(unfused(x, [sum, y], fused), 2, engine));
      expect(bitsOf(run(fused, 2, engine)), `after it ${nameOf(activation)}`).toEqual(expected);
      const own = model({ inputs: x, outputs: make(channels, { activation }).apply(x), seed: channels });
      expect(bitsOf(run(own, 2, engine)), `of its own ${nameOf(activation)}`).toEqual(expected);
      for (const each of [fused, own]) each.dispose();
    }
  });

  it.each(CHANNELS)("has the bits of a sum and an activation by themselves, of %i channels", (channels) => {
    for (const activation of ["relu", "relu6", "hardSwish", "gelu"] as const) {
      const x = input({ shape: [5, 4, channels], name: "image" });
      const own = make(channels, {}).apply(x);
      // Another value of that shape, from a layer that takes no sum.
      const other = make(channels, { activation: "tanh" }).apply(x);
      const sum = layers.add().apply([own, other]);
      const y = layers.activation({ activation }).apply(sum);
      const fused = model({ inputs: x, outputs: y, seed: channels });
      expect(fuse(fused["graph"]).length).toBeLessThan(4);
      const apart = unfused(x, [own, other, sum, y], fused);
      const expected = bitsOf(run(apart, 2, engine));
      expect(bitsOf(run(fused, 2, engine)), nameOf(activation)).toEqual(expected);
      for (const each of [fused, apart]) each.dispose();
    }
  });
});
