import { checkGroups, type Conv2d } from "../kernels/conv2d.ts";
import { OptionError } from "../errors.ts";
import { sequenceOf, sequencePadding } from "../kernels/sequence.ts";
import { transposedWindow } from "../kernels/transposedWindow.ts";
import type { Window } from "../kernels/window.ts";
import { isCount, positiveInteger, readOptions, show, sizeAlong } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { fuseActivation } from "./activate.ts";
import { expectAlgorithm } from "./conv2d.ts";
import { transposedPass } from "./conv2dTranspose.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { kernelAndBias, WEIGHTED, type WeightedOptions } from "./kernelAndBias.ts";

export interface Conv1dTransposeLayerOptions extends WeightedOptions {
  /** Number of filters: the channels of the output. */
  filters: number;
  /** The number of steps that a filter covers. */
  kernelSize: number;
  /** Default: 1. */
  strides?: number | undefined;
  /** Default: `"valid"`. */
  padding?: "same" | "valid" | readonly [before: number, after: number] | undefined;
  /** Steps that are added to the smallest output. Default: the output has the size that Keras gives it. */
  outputPadding?: number | undefined;
  /** Default: 1. */
  dilationRate?: number | undefined;
  /** The number of groups into which channels and filters are split; filters read the channels of their group. Default: 1. */
  groups?: number | undefined;
}

/** The options that say where the filters lie. */
export interface TransposedSequence {
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides: number;
  readonly padding: "same" | "valid" | readonly [number, number];
  readonly outputPadding?: number;
  readonly dilationRate: number;
}

/** The window of the convolution whose input gradient the layer is, over images of one row. @throws ShapeError */
export function transposedSequence(where: string, input: Shape, options: TransposedSequence): Window {
  const [steps, c] = sequenceOf(where, input);
  const { filters, kernelSize, strides, padding, dilationRate, outputPadding } = options;
  return transposedWindow(where, [1, steps, c], filters, {
    kernelSize: [1, kernelSize],
    strides: [1, strides],
    dilationRate: [1, dilationRate],
    padding: typeof padding === "string" ? padding : [[0, 0], padding],
    ...(outputPadding !== undefined && { outputPadding: [0, outputPadding] as const }),
  });
}

/**
 * Transposed 1-D convolution: `[steps, c]` → `[steps', filters]` with `W[kernelSize, filters/groups, c]`. It is computed as
 * the transposed convolution of an image of one row, and steps' follows as rows do in `conv2dTranspose`.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function conv1dTranspose(options: Conv1dTransposeLayerOptions): Layer {
  const type = "conv1dTranspose";
  const config = readOptions(type, options, {
    filters: positiveInteger,
    groups: [positiveInteger, 1],
    kernelSize: sizeAlong,
    strides: [sizeAlong, 1],
    padding: [sequencePadding(["same", "valid"]), "valid"],
    outputPadding: [
      (where: string, value: unknown): number => {
        const { strides = 1 } = options;
        if (isCount(value) && value < strides) return value;
        throw new OptionError(
          `${where}: expected an integer from 0 and below the strides, ${show(strides)}, got ${show(value)}`,
        );
      },
    ],
    dilationRate: [sizeAlong, 1],
    ...WEIGHTED,
  });
  const { filters, groups } = config;
  const activation = fuseActivation(type, config.activation);
  const resolve = (input: Shape, where: string): Conv2d => {
    const window = transposedSequence(where, input, config);
    const c = input[1]!;
    checkGroups(where, c, filters, groups);
    return { window, f: c, groups };
  };
  return layerOf({
    type,
    name: options.name,
    config,
    backwardReads: { x: true, y: activation.readsOutput },
    outputShape: (inputs, where) => [resolve(onlyInput(inputs, where), where).window.w, filters],
    weights: (inputs) =>
      kernelAndBias(config, [config.kernelSize, filters / groups, onlyInput(inputs)[1]!], filters),
    checkAlgorithm: (inputs, where, algorithm) =>
      expectAlgorithm(where, algorithm, resolve(onlyInput(inputs), where)),
    build: (context) => transposedPass(context, resolve(onlyInput(context.inputs), context.name), activation),
  });
}
