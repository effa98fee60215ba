import { sequencePadding, sequenceWindow, type SequencePadding } from "../kernels/sequence.ts";
import { readOptions, sizeAlong } from "../options.ts";
import type { Layer } from "./contract.ts";
import { ENDING, FILTERS, separable, type SeparableConv2dLayerOptions } from "./separableConv2d.ts";

export interface SeparableConv1dLayerOptions extends Omit<
  SeparableConv2dLayerOptions,
  "kernelSize" | "strides" | "padding" | "dilationRate"
> {
  /** The number of steps that a filter covers. */
  kernelSize: number;
  /** Default: 1. */
  strides?: number | undefined;
  /** Default: `"valid"`. */
  padding?: SequencePadding | undefined;
  /** Default: 1. */
  dilationRate?: number | undefined;
}

/**
 * A depthwise convolution of a sequence, `[steps, c]` → `[steps', c·depthMultiplier]`, then one of a single step over all of
 * its channels with bias and activation: `depthwiseKernel[kernelSize, 1, c·depthMultiplier]`,
 * `pointwiseKernel[1, c·depthMultiplier, filters]`, `bias[filters]`.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function separableConv1d(options: SeparableConv1dLayerOptions): Layer {
  const type = "separableConv1d";
  const config = readOptions(type, options, {
    ...FILTERS,
    kernelSize: sizeAlong,
    strides: [sizeAlong, 1],
    padding: [sequencePadding(["same", "valid", "causal"]), "valid"],
    dilationRate: [sizeAlong, 1],
    ...ENDING,
  });
  return separable(type, options.name, config, 1, (where, input) => sequenceWindow(where, input, config));
}
