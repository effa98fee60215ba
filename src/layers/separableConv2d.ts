import type { Conv2d } from "../kernels/conv2d.ts";
import { checkElements, ONE_PIXEL, resolveWindow, SLIDING, type Window } from "../kernels/window.ts";
import { positiveInteger, readOptions } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { fuseActivation, type FusedActivation } from "./activate.ts";
import type { Buffer } from "./buffer.ts";
import {
  buildPass,
  convolutionGradient,
  expectAlgorithm,
  type ConvolutionState,
  type SharedOptions,
} from "./conv2d.ts";
import type { Initializer } from "./initializers.ts";
import type { Penalty, Regularizer } from "./regularizers.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { biasOf, WEIGHTED, type Weighted } from "./kernelAndBias.ts";

export interface SeparableConv2dLayerOptions extends Omit<
  SharedOptions,
  "kernelInitializer" | "kernelRegularizer"
> {
  /** The number of pointwise filters, which is the number of output channels. */
  filters: number;
  /** The number of depthwise filters for each channel. Default: 1. */
  depthMultiplier?: number | undefined;
  /** Default: `"glorotUniform"`. */
  depthwiseInitializer?: Initializer | undefined;
  /** Default: `"glorotUniform"`. */
  pointwiseInitializer?: Initializer | undefined;
  /** One of `regularizers.*`. Default: no penalty. */
  depthwiseRegularizer?: Regularizer | undefined;
  /** One of `regularizers.*`. Default: no penalty. */
  pointwiseRegularizer?: Regularizer | undefined;
}

/** The depthwise convolution and the pointwise one after it. */
interface Pair {
  readonly depthwise: Conv2d;
  readonly pointwise: Conv2d;
}

/** The readers of the options in the order of the layers', around those of the window. */
const { kernelInitializer, kernelRegularizer, ...ENDING } = WEIGHTED;
export const FILTERS = {
  filters: positiveInteger,
  depthMultiplier: [positiveInteger, 1],
  depthwiseInitializer: kernelInitializer,
  pointwiseInitializer: kernelInitializer,
  depthwiseRegularizer: kernelRegularizer,
  pointwiseRegularizer: kernelRegularizer,
} as const;

export { ENDING };

/** The options that were read by these. */
interface Separable extends Omit<Weighted, "kernelInitializer" | "kernelRegularizer"> {
  readonly filters: number;
  readonly depthMultiplier: number;
  readonly depthwiseInitializer: Initializer;
  readonly pointwiseInitializer: Initializer;
  readonly depthwiseRegularizer?: Penalty;
  readonly pointwiseRegularizer?: Penalty;
}

/** Makes the layer of images, or of sequences, which are images of one row; `axes` is 2 or 1. */
export function separable(
  type: string,
  name: string | undefined,
  config: Separable,
  axes: number,
  windowOf: (where: string, input: Shape) => Window,
): Layer {
  const { filters, depthMultiplier } = config;
  const activation = fuseActivation(type, config.activation);
  const resolve = (input: Shape, where: string): Pair => {
    const window = windowOf(where, input);
    const { oh, ow } = window;
    const c = window.c * depthMultiplier;
    checkElements(where, [oh, ow, c]);
    return {
      depthwise: { window, f: c, groups: window.c },
      pointwise: { window: { ...ONE_PIXEL, h: oh, w: ow, c, oh, ow }, f: filters, groups: 1 },
    };
  };
  return layerOf({
    type,
    name,
    config,
    backwardReads: { x: true, y: activation.readsOutput },
    outputShape(inputs, where) {
      const { oh, ow } = resolve(onlyInput(inputs, where), where).pointwise.window;
      return [...[oh, ow].slice(-axes), filters];
    },
    weights(inputs) {
      const { window, f } = resolve(onlyInput(inputs), type).depthwise;
      const taps = [window.kh, window.kw].slice(-axes);
      return [
        {
          name: "depthwiseKernel",
          shape: [...taps, 1, f],
          initializer: config.depthwiseInitializer,
          regularizer: config.depthwiseRegularizer,
        },
        {
          name: "pointwiseKernel",
          shape: [...taps.map(() => 1), f, filters],
          initializer: config.pointwiseInitializer,
          regularizer: config.pointwiseRegularizer,
        },
        ...biasOf(config, filters),
      ];
    },
    checkAlgorithm(inputs, where, algorithm) {
      const { depthwise, pointwise } = resolve(onlyInput(inputs), where);
      expectAlgorithm(where, algorithm, depthwise, pointwise);
    },
    build: (context) => pairPass(context, resolve(onlyInput(context.inputs), context.name), activation),
  });
}

/**
 * A depthwise convolution, then a 1×1 convolution over all of its channels with bias and activation:
 * `depthwiseKernel[kh, kw, 1, c·depthMultiplier]`, `pointwiseKernel[1, 1, c·depthMultiplier, filters]`, `bias[filters]`.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function separableConv2d(options: SeparableConv2dLayerOptions): Layer {
  const type = "separableConv2d";
  const config = readOptions(type, options, { ...FILTERS, ...SLIDING, ...ENDING });
  return separable(type, options.name, config, 2, (where, image) => resolveWindow(where, image, config));
}

/** The states of both convolutions in a plan, and the buffer between them. */
interface PairState {
  readonly first: ConvolutionState;
  readonly second: ConvolutionState;
  readonly between: Buffer;
  /** Elements of `between`. */
  readonly size: number;
}

function pairPass(
  context: BuildContext,
  { depthwise, pointwise }: Pair,
  activation: FusedActivation,
): Pass<PairState> {
  const { weights } = context;
  const { h, w, c } = pointwise.window;
  const size = context.capacity * sizeOf([h, w, c]);
  const between = context.saved(size);
  const front = { ...context, y: between, weights: weights.slice(0, 1) };
  const behind = { ...context, x: between, weights: weights.slice(1) };
  const first = buildPass(front, depthwise, fuseActivation(context.name, "linear"));
  const second = buildPass(behind, pointwise, activation);
  const forward = (n: number): void => {
    first.forward(n);
    second.forward(n);
  };
  const prepare = (): void => {
    first.prepare?.();
    second.prepare?.();
  };
  return { prepare, forward, state: { first: first.state!, second: second.state!, between, size } };
}

/** The gradients of the two convolutions, with a buffer for the gradient of the depthwise output between them. */
export const separableConv2dGradient: Gradient<PairState> = (context, { first, second, between, size }) => {
  const { weights, gradients } = context;
  const dy = context.workspace(size);
  const front = {
    ...context,
    y: between,
    dy,
    weights: weights.slice(0, 1),
    gradients: gradients.slice(0, 1),
  };
  const behind = { ...context, x: between, dx: dy, weights: weights.slice(1), gradients: gradients.slice(1) };
  const firstBackward = convolutionGradient(front, first);
  const secondBackward = convolutionGradient(behind, second);
  return (n) => {
    secondBackward(n);
    firstBackward(n);
  };
};
