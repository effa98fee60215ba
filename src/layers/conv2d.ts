import {
  checkAlgorithm,
  checkGroups,
  forwardPass,
  resolveAlgorithm,
  sharedAlgorithm,
  type Conv2d,
  type ConvAlgorithm,
} from "../kernels/conv2d.ts";
import { filterGradientPass, inputGradientPass } from "../kernels/conv2dGradients.ts";
import { resolveWindow, SLIDING, type Padding, type Sliding } from "../kernels/window.ts";
import { positiveInteger, readOptions, type Size } from "../options.ts";
import { sameShape, type Shape } from "../tensor.ts";
import { activationGradient, fuseActivation, type ActivationPass, type FusedActivation } from "./activate.ts";
import { foldWeights } from "./fold.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { kernelAndBias, WEIGHTED, type Weighted, type WeightedOptions } from "./kernelAndBias.ts";

export interface SharedOptions extends WeightedOptions {
  /** `[height, width]` of the filters, or one number for both. */
  kernelSize: Size;
  /** Default: 1. */
  strides?: Size | undefined;
  /** Default: `"valid"`. */
  padding?: Padding | undefined;
  /** Default: 1. */
  dilationRate?: Size | undefined;
}

export interface Conv2dLayerOptions extends SharedOptions {
  /** Number of filters: the channels of the output. */
  filters: number;
  /** The number of groups into which channels and filters are split; filters read the channels of their group. Default: 1. */
  groups?: number | undefined;
  /**
   * The algorithm of the layer and its gradients. `"winograd"` needs 3×3 filters without strides, dilation or groups;
   * `"depthwise"` needs as many groups and filters as channels. Default: the option of `compile`, or `"auto"`, which chooses
   * by the shape alone.
   */
  algorithm?: ConvAlgorithm | undefined;
}

export interface DepthwiseConv2dLayerOptions extends SharedOptions {
  /** The number of filters for each channel. Default: 1. */
  depthMultiplier?: number | undefined;
}

/** The readers of the options that all 2-D convolutions share. */
export const SHARED = { ...SLIDING, ...WEIGHTED } as const;

/**
 * 2-D convolution: `y[n, oh, ow, f] = act(im2row(x[n, h, w, c])·W + b)` with `W[kh, kw, c/groups, f]`.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function conv2d(options: Conv2dLayerOptions): Layer {
  const config = readOptions("conv2d", options, {
    filters: positiveInteger,
    groups: [positiveInteger, 1],
    algorithm: [checkAlgorithm],
    ...SHARED,
  });
  return convolution("conv2d", options.name, config, () => config, config.algorithm);
}

/**
 * Depthwise convolution: each channel has filters of its own, `W[kh, kw, 1, c·depthMultiplier]`, and output channel
 * `ch·depthMultiplier + i` is computed from input channel `ch`.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function depthwiseConv2d(options: DepthwiseConv2dLayerOptions): Layer {
  const config = readOptions("depthwiseConv2d", options, {
    depthMultiplier: [positiveInteger, 1],
    ...SHARED,
  });
  const { depthMultiplier } = config;
  const perImage = (channels: number) => ({ filters: channels * depthMultiplier, groups: channels });
  return convolution("depthwiseConv2d", options.name, config, perImage);
}

/** Makes either layer; `perImage` returns the number of filters and groups for a number of input channels. */
function convolution(
  type: string,
  name: string | undefined,
  config: Sliding & Weighted,
  perImage: (channels: number) => { filters: number; groups: number },
  algorithm?: ConvAlgorithm,
): Layer {
  const activation = fuseActivation(type, config.activation);
  // Asked for several times by all who plan a net.
  let last: { readonly image: Shape; readonly conv: Conv2d } | undefined;
  const resolve = (image: Shape, where: string): Conv2d => {
    if (last && sameShape(last.image, image)) return last.conv;
    const window = resolveWindow(where, image, config);
    const { filters, groups } = perImage(window.c);
    checkGroups(where, window.c, filters, groups);
    const conv = { window, f: filters, groups };
    if (algorithm !== undefined) resolveAlgorithm(where, conv, algorithm);
    last = { image: [...image], conv };
    return conv;
  };
  return layerOf({
    type,
    name,
    config,
    backwardReads: { x: true, y: activation.readsOutput },
    fusable: activation.fusable,
    outputShape(inputs, where) {
      const { window, f } = resolve(onlyInput(inputs, where), where);
      return [window.oh, window.ow, f];
    },
    weights(inputs) {
      const { window, f, groups } = resolve(onlyInput(inputs), type);
      return kernelAndBias(config, [window.kh, window.kw, window.c / groups, f], f);
    },
    checkAlgorithm(inputs, where, other) {
      if (algorithm === undefined) expectAlgorithm(where, other, resolve(onlyInput(inputs), where));
    },
    build(context) {
      const conv = resolve(onlyInput(context.inputs), context.name);
      return buildPass(context, conv, activation, algorithm);
    },
  });
}

/** @throws OptionError naming `where` unless the model's algorithm can compute these convolutions. */
export function expectAlgorithm(where: string, algorithm: ConvAlgorithm, ...convs: Conv2d[]): void {
  for (const conv of convs) resolveAlgorithm(where, conv, sharedAlgorithm(conv, algorithm));
}

/** The state of a convolution in a plan that its gradient needs. */
export interface ConvolutionState {
  readonly conv: Conv2d;
  /** The address of the window's struct. */
  readonly window: number;
  readonly activation: ActivationPass;
  readonly algorithm: ConvAlgorithm;
}

/** The name of the layout of packed filters; it depends on the algorithm but not on the image's height and width. */
export function layoutOf(where: string, conv: Conv2d, algorithm: ConvAlgorithm): string {
  const { kh, kw, c } = conv.window;
  return [resolveAlgorithm(where, conv, algorithm), kh, kw, c, conv.f, conv.groups].join(" ");
}

/** The forward pass, by the layer's own algorithm or the model's. */
export function buildPass(
  context: BuildContext,
  conv: Conv2d,
  fused: FusedActivation,
  own?: ConvAlgorithm,
): Pass<ConvolutionState> {
  const { kernels, x, name } = context;
  const algorithm = own ?? sharedAlgorithm(conv, context.algorithm);
  const window = context.window(conv.window);
  const activation = fused.build(context, conv.f, conv.window.oh * conv.window.ow);
  const run = forwardPass(name, conv, algorithm);
  const workspace = context.workspace(run.workspace(kernels, window));
  const size = run.packed(kernels, window);
  const { kh, kw, c } = conv.window;
  const { kernel, bias, prepare } = foldWeights(context, ((kh * kw * c) / conv.groups) * conv.f, conv.f, {
    layout: layoutOf(name, conv, algorithm),
    size,
    pack: (from, to) => run.pack(kernels, window, from, to),
  });
  const { code, alpha, preactivation } = activation;
  const forward = (n: number): void => {
    const b = bias ? bias.pointer : 0;
    const [to, ws] = [preactivation.pointer, workspace.pointer];
    run.run(kernels, window, n, x.pointer, kernel.pointer, b, to, code, alpha, ws);
    activation.finish(n);
  };
  return { prepare, forward, state: { conv, window, activation, algorithm } };
}

/** `dW = im2row(x)ᵀ·dY`, `db = Σ rows of dY`, `dx = col2im(dY·Wᵀ)`, or the same values by another algorithm. */
export const convolutionGradient: Gradient<ConvolutionState> = (context, state) => {
  const { kernels, x, dx, dy, name } = context;
  const { conv, window, algorithm } = state;
  const [kernel] = context.weights;
  const [dKernel, dBias] = context.gradients;
  const pixels = conv.window.oh * conv.window.ow;
  const activationBackward = activationGradient(context, state.activation);
  // A frozen layer has no gradient of its filters to compute.
  const filterGradient = dKernel && filterGradientPass(name, conv, algorithm);
  const inputGradient = inputGradientPass(name, conv, algorithm);
  const need = Math.max(
    filterGradient?.workspace(kernels, window) ?? 0,
    dx ? inputGradient.workspace(kernels, window) : 0,
  );
  const workspace = context.workspace(need);
  const size = dx ? inputGradient.packed(kernels, window) : 0;
  const packed = context.workspace(size);
  const filters = size === 0 ? kernel! : packed;
  return (n) => {
    activationBackward(n);
    filterGradient?.run(kernels, window, n, x.pointer, dy.pointer, dKernel!.pointer, workspace.pointer);
    if (dBias) kernels.biasGradient(n * pixels, conv.f, dy.pointer, dBias.pointer);
    if (!dx) return;
    inputGradient.pack(kernels, window, kernel!.pointer, packed.pointer);
    inputGradient.run(kernels, window, n, dy.pointer, filters.pointer, dx.pointer, workspace.pointer);
  };
};
