/** Small nets that are planned with fusion, and run without. */
import { input, layers, model, type Engine, type Layer, type Model } from "../../src/index.ts";
import type { SymbolicTensor } from "../../src/layers/contract.ts";
import { noise } from "./model.ts";

export const SIZE = 6;
export const CHANNELS = 8;
export const image = (): SymbolicTensor => input({ shape: [SIZE, SIZE, CHANNELS], name: "image" });
export const relu = (): Layer => layers.activation({ activation: "relu" });
export const conv = (options: object = {}): Layer =>
  layers.conv2d({ filters: CHANNELS, kernelSize: 3, padding: "same", ...options });

/** The last of the outputs, with the others given back as well, which keeps them from being fused. */
export function unfused(x: SymbolicTensor, outputs: readonly SymbolicTensor[], fused: Model): Model {
  const net = model({ inputs: x, outputs });
  net["parameters"].write("test", fused.weights);
  return net;
}

export const run = (net: Model, batch: number, engine: Engine): Float32Array => {
  net.compile({ engine });
  const names = net.outputs.map(({ name }) => name);
  const shape = net.inputs[0]!.shape;
  const outputs = net.predict({ [net.inputs[0]!.name]: noise(3, batch, ...shape) });
  return outputs[names.at(-1)!]!.data;
};
