import { sequenceOf, sequencePadding, sequenceWindow, type SequencePadding } from "../kernels/sequence.ts";
import type { Window } from "../kernels/window.ts";
import { OptionError } from "../errors.ts";
import { readOptions, show, sizeAlong } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { globalMaxima, globalMeans, globalPooling, maxima, means, type Build } from "./pooling2d.ts";
import { layerOf } from "./symbolic.ts";

export interface Pooling1dLayerOptions {
  /** The number of steps in a window. Default: 2. */
  poolSize?: number | undefined;
  /** Default: `poolSize`. */
  strides?: number | undefined;
  /** Default: `"valid"`. */
  padding?: Exclude<SequencePadding, "causal"> | undefined;
  name?: string | undefined;
}

function pooling(type: string, options: Pooling1dLayerOptions, build: Build): Layer {
  const own = readOptions(type, options, {
    poolSize: [sizeAlong, 2],
    strides: [sizeAlong],
    padding: [sequencePadding(["same", "valid"]), "valid"],
  });
  const { poolSize, strides = poolSize, padding } = own;
  if (typeof padding !== "string" && Math.max(...padding) >= poolSize) {
    throw new OptionError(
      `${type}: padding: expected less than the pool size ${poolSize}, got ${show(padding)}`,
    );
  }
  const config = { poolSize, strides, padding };
  const windowOf = (input: Shape, where: string): Window =>
    sequenceWindow(where, input, { kernelSize: poolSize, strides, padding, dilationRate: 1 });
  return layerOf({
    type,
    name: options.name,
    config,
    outputShape(inputs, where) {
      const { ow, c } = windowOf(onlyInput(inputs, where), where);
      return [ow, c];
    },
    build: (context) => build(context, windowOf(onlyInput(context.inputs), context.name)),
  });
}

/** The maximum of each window of steps: `[steps, c]` → `[steps', c]`. */
export function maxPooling1d(options: Pooling1dLayerOptions = {}): Layer {
  return pooling("maxPooling1d", options, maxima);
}

/** The mean of each window of steps: `[steps, c]` → `[steps', c]`. Padding does not count. */
export function averagePooling1d(options: Pooling1dLayerOptions = {}): Layer {
  return pooling("averagePooling1d", options, means);
}

/** The maximum of each channel over all steps: `[steps, c]` → `[c]`. */
export function globalMaxPooling1d(options: { name?: string | undefined } = {}): Layer {
  return globalPooling("globalMaxPooling1d", options, sequenceOf, globalMaxima);
}

/** The mean of each channel over all steps: `[steps, c]` → `[c]`. */
export function globalAveragePooling1d(options: { name?: string | undefined } = {}): Layer {
  return globalPooling("globalAveragePooling1d", options, sequenceOf, globalMeans);
}
