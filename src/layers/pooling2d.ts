import { checkPool, resolvePool } from "../kernels/pool2d.ts";
import { imageOf, ONE_PIXEL, type Padding, type Window } from "../kernels/window.ts";
import { checkOptions, readOptions, type Size } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

export interface Pooling2dLayerOptions {
  /** `[height, width]` of a window, or one number for both. Default: 2. */
  poolSize?: Size | undefined;
  /** Default: `poolSize`. */
  strides?: Size | undefined;
  /** Default: `"valid"`. */
  padding?: Padding | undefined;
  name?: string | undefined;
}

export type Build = (context: BuildContext, window: Window) => Pass;

function pooling(type: string, options: Pooling2dLayerOptions, build: Build): Layer {
  checkOptions(type, options, ["poolSize", "strides", "padding", "name"]);
  const { poolSize = 2, strides, padding, name } = options;
  const config = checkPool(type, { poolSize, strides, padding });
  return layerOf({
    type,
    name,
    config,
    outputShape(inputs, where) {
      const window = resolvePool(where, onlyInput(inputs, where), config);
      return [window.oh, window.ow, window.c];
    },
    build: (context) => build(context, resolvePool(context.name, onlyInput(context.inputs), config)),
  });
}

export const maxima: Build = (context, window) => {
  const { kernels, capacity, x, y } = context;
  const struct = context.window(window);
  if (!context.needsGradient) {
    return { forward: (n) => kernels.maxPool2dForward(struct, n, x.pointer, y.pointer, 0) };
  }
  const argmax = context.saved(capacity * window.oh * window.ow * window.c, "int32");
  const forward = (n: number): void =>
    kernels.maxPool2dForward(struct, n, x.pointer, y.pointer, argmax.pointer);
  return { forward, state: argmax };
};

/** The gradient of each window goes to its largest element, whose index within the image is stored in `argmax`. */
export const maximaGradient: Gradient<Buffer> = (context, argmax) => {
  const { kernels, dx, dy } = context;
  const [ySize, xSize] = [sizeOf(context.output), sizeOf(onlyInput(context.inputs))];
  return (n) => kernels.maxPool2dBackward(n, dy.pointer, argmax.pointer, dx!.pointer, ySize, xSize);
};

export const means: Build = (context, window) => {
  const { kernels, x, y } = context;
  const struct = context.window(window);
  return { forward: (n) => kernels.averagePool2dForward(struct, n, x.pointer, y.pointer), state: struct };
};

/** The gradient of each window goes to its pixels in equal parts; `window` is the address of the window's struct. */
export const meansGradient: Gradient<number> = ({ kernels, dx, dy }, window) => {
  return (n) => kernels.averagePool2dBackward(window, n, dy.pointer, dx!.pointer);
};

/** The maximum of each window. Training stores the index of each maximum, so that the gradient is one scatter-add. */
export function maxPooling2d(options: Pooling2dLayerOptions = {}): Layer {
  return pooling("maxPooling2d", options, maxima);
}

/** The mean of each window; padding does not count. */
export function averagePooling2d(options: Pooling2dLayerOptions = {}): Layer {
  return pooling("averagePooling2d", options, means);
}

type GlobalBuild = (context: BuildContext, pixels: number, c: number) => Pass;

/** Makes a layer that pools over all pixels or steps: `[h, w, c]` or `[steps, c]` → `[c]`. */
export function globalPooling(
  type: string,
  options: { name?: string | undefined },
  check: (where: string, input: Shape) => Shape,
  build: GlobalBuild,
): Layer {
  const config = readOptions(type, options, {});
  return layerOf({
    type,
    name: options.name,
    config,
    outputShape: (inputs, where) => check(where, onlyInput(inputs, where)).slice(-1),
    build(context) {
      const input = onlyInput(context.inputs);
      const c = input.at(-1)!;
      return build(context, sizeOf(input) / c, c);
    },
  });
}

/** The maximum of each channel; all pixels lie in one window. */
export const globalMaxima: GlobalBuild = (context, pixels, c) =>
  maxima(context, { ...ONE_PIXEL, h: 1, w: pixels, c, kw: pixels });

export const globalMeans: GlobalBuild = ({ kernels, x, y }, pixels, c) => ({
  forward: (n) => kernels.globalAveragePool2dForward(n, pixels, c, x.pointer, y.pointer),
});

/** The gradient of each channel goes to all of its pixels in equal parts. */
export const globalMeansGradient: Gradient = ({ kernels, inputs, dx, dy }) => {
  const input = onlyInput(inputs);
  const c = input.at(-1)!;
  const pixels = sizeOf(input) / c;
  return (n) => kernels.globalAveragePool2dBackward(n, pixels, c, dy.pointer, dx!.pointer);
};

/** The maximum of each channel over all pixels: `[h, w, c]` → `[c]`. */
export function globalMaxPooling2d(options: { name?: string | undefined } = {}): Layer {
  return globalPooling("globalMaxPooling2d", options, imageOf, globalMaxima);
}

/** The mean of each channel over all pixels: `[h, w, c]` → `[c]`. */
export function globalAveragePooling2d(options: { name?: string | undefined } = {}): Layer {
  return globalPooling("globalAveragePooling2d", options, imageOf, globalMeans);
}
