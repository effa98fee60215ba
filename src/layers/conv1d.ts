import { checkGroups, type Conv2d } from "../kernels/conv2d.ts";
import { sequencePadding, sequenceWindow, type SequencePadding } from "../kernels/sequence.ts";
import { positiveInteger, readOptions, sizeAlong } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { fuseActivation } from "./activate.ts";
import { buildPass, expectAlgorithm } from "./conv2d.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { kernelAndBias, WEIGHTED, type WeightedOptions } from "./kernelAndBias.ts";

export interface Conv1dLayerOptions extends WeightedOptions {
  /** Number of filters: the channels of the output. */
  filters: number;
  /** The number of steps that a filter covers. */
  kernelSize: number;
  /** Default: 1. */
  strides?: number | undefined;
  /** Default: `"valid"`. */
  padding?: SequencePadding | undefined;
  /** Default: 1. */
  dilationRate?: number | undefined;
  /** The number of groups into which channels and filters are split; filters read the channels of their group. Default: 1. */
  groups?: number | undefined;
}

/**
 * 1-D convolution: `[steps, c]` → `[steps', filters]` with `W[kernelSize, c/groups, filters]`. It is computed as the
 * convolution of an image of one row. `"causal"` puts all padding before the first step.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function conv1d(options: Conv1dLayerOptions): Layer {
  const config = readOptions("conv1d", options, {
    filters: positiveInteger,
    groups: [positiveInteger, 1],
    kernelSize: sizeAlong,
    strides: [sizeAlong, 1],
    padding: [sequencePadding(["same", "valid", "causal"]), "valid"],
    dilationRate: [sizeAlong, 1],
    ...WEIGHTED,
  });
  const { filters, groups } = config;
  const activation = fuseActivation("conv1d", config.activation);
  const resolve = (input: Shape, where: string): Conv2d => {
    const window = sequenceWindow(where, input, config);
    checkGroups(where, window.c, filters, groups);
    return { window, f: filters, groups };
  };
  return layerOf({
    type: "conv1d",
    name: options.name,
    config,
    backwardReads: { x: true, y: activation.readsOutput },
    fusable: activation.fusable,
    outputShape: (inputs, where) => [resolve(onlyInput(inputs, where), where).window.ow, filters],
    weights: (inputs) =>
      kernelAndBias(config, [config.kernelSize, onlyInput(inputs)[1]! / groups, filters], filters),
    checkAlgorithm: (inputs, where, algorithm) =>
      expectAlgorithm(where, algorithm, resolve(onlyInput(inputs), where)),
    build: (context) => buildPass(context, resolve(onlyInput(context.inputs), context.name), activation),
  });
}
