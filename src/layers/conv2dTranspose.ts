import { checkGroups, forwardPass, sharedAlgorithm, type Conv2d } from "../kernels/conv2d.ts";
import { filterGradientPass, inputGradientPass } from "../kernels/conv2dGradients.ts";
import { checkOutputPadding, transposedWindow, type OutputPadding } from "../kernels/transposedWindow.ts";
import { positiveInteger, readOptions, sizePair } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { activationGradient, fuseActivation, type FusedActivation } from "./activate.ts";
import { expectAlgorithm, layoutOf, SHARED, type ConvolutionState, type SharedOptions } from "./conv2d.ts";
import { foldWeights } from "./fold.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { kernelAndBias } from "./kernelAndBias.ts";

export interface Conv2dTransposeLayerOptions extends SharedOptions {
  /** Number of filters: the channels of the output. */
  filters: number;
  /** Rows and columns that are added to the smallest output. Default: the output has the size that Keras gives it. */
  outputPadding?: OutputPadding | undefined;
  /** The number of groups into which channels and filters are split; filters read the channels of their group. Default: 1. */
  groups?: number | undefined;
}

/**
 * Transposed 2-D convolution: each pixel of `x[n, h, w, c]` adds its multiples of the filters to the output,
 * `y[n, oh, ow, f] = act(col2im(x·Wᵀ) + b)`. It is the input gradient of a convolution from `[oh, ow, f]` to `[h, w, c]`
 * with the filters `W[kh, kw, f/groups, c]`, and its own input gradient is that convolution's forward pass.
 *
 * The output has h·strides rows for `"same"`; (h − 1)·strides + (kernelSize − 1)·dilationRate + 1, but at least h·strides,
 * for `"valid"`; and (h − 1)·strides + (kernelSize − 1)·dilationRate + 1 less the padding for explicit padding, as in
 * PyTorch. `outputPadding` is added to the smallest output.
 *
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function conv2dTranspose(options: Conv2dTransposeLayerOptions): Layer {
  const config = readOptions("conv2dTranspose", options, {
    filters: positiveInteger,
    groups: [positiveInteger, 1],
    outputPadding: [
      (where: string, value: unknown) =>
        checkOutputPadding(where, value, sizePair("conv2dTranspose: strides", options.strides ?? 1)),
    ],
    ...SHARED,
  });
  const { filters, groups } = config;
  const activation = fuseActivation("conv2dTranspose", config.activation);
  const resolve = (image: Shape, where: string): Conv2d => {
    const window = transposedWindow(where, image, filters, config);
    const c = image[2]!;
    checkGroups(where, c, filters, groups);
    return { window, f: c, groups };
  };
  return layerOf({
    type: "conv2dTranspose",
    name: options.name,
    config,
    backwardReads: { x: true, y: activation.readsOutput },
    outputShape(inputs, where) {
      const { h, w } = resolve(onlyInput(inputs, where), where).window;
      return [h, w, filters];
    },
    weights(inputs) {
      const { window, f } = resolve(onlyInput(inputs), "conv2dTranspose");
      return kernelAndBias(config, [window.kh, window.kw, filters / groups, f], filters);
    },
    checkAlgorithm: (inputs, where, algorithm) =>
      expectAlgorithm(where, algorithm, resolve(onlyInput(inputs), where)),
    build: (context) => transposedPass(context, resolve(onlyInput(context.inputs), context.name), activation),
  });
}

/** The forward pass: the input gradient of `conv`, then bias and activation. */
export function transposedPass(
  context: BuildContext,
  conv: Conv2d,
  fused: FusedActivation,
): Pass<ConvolutionState> {
  const { kernels, x, name } = context;
  const algorithm = sharedAlgorithm(conv, context.algorithm);
  const [, bias] = context.weights;
  const { h, w, kh, kw, c: filters } = conv.window;
  const window = context.window(conv.window);
  const activation = fused.build(context, filters, h * w);
  const run = inputGradientPass(name, conv, algorithm);
  const workspace = context.workspace(run.workspace(kernels, window));
  const size = run.packed(kernels, window);
  const { f } = conv;
  const { kernel: panels, prepare } = foldWeights(context, ((kh * kw * filters) / conv.groups) * f, f, {
    layout: `transposed ${layoutOf(name, conv, algorithm)}`,
    size,
    pack: (from, to) => run.pack(kernels, window, from, to),
  });
  const { code, alpha, preactivation: to } = activation;
  const forward = (n: number): void => {
    const pixels = n * h * w;
    run.run(kernels, window, n, x.pointer, panels.pointer, to.pointer, workspace.pointer);
    if (bias) kernels.addRowsForward(1, pixels, filters, to.pointer, bias.pointer, to.pointer);
    if (code !== 0) kernels.activationForward(code, alpha, to.pointer, to.pointer, pixels * filters);
    activation.finish(n);
  };
  return { prepare, forward, state: { conv, window, activation, algorithm } };
}

/** The gradients: the layer is the input gradient of `conv`, so these are the passes of `conv` with x and dy swapped. */
export const conv2dTransposeGradient: Gradient<ConvolutionState> = (context, state) => {
  const { kernels, x, dx, dy, name } = context;
  const { conv, window, algorithm } = state;
  const [kernel] = context.weights;
  const [dKernel, dBias] = context.gradients;
  const { h, w, c: filters } = conv.window;
  const activationBackward = activationGradient(context, state.activation);
  const filterGradient = dKernel && filterGradientPass(name, conv, algorithm);
  const inputGradient = forwardPass(name, conv, algorithm);
  const need = Math.max(
    filterGradient?.workspace(kernels, window) ?? 0,
    dx ? inputGradient.workspace(kernels, window) : 0,
  );
  const workspace = context.workspace(need);
  const size = dx ? inputGradient.packed(kernels, window) : 0;
  const packed = context.workspace(size);
  const panels = size === 0 ? kernel! : packed;
  return (n) => {
    const ws = workspace.pointer;
    activationBackward(n);
    filterGradient?.run(kernels, window, n, dy.pointer, x.pointer, dKernel!.pointer, ws);
    if (dBias) kernels.biasGradient(n * h * w, filters, dy.pointer, dBias.pointer);
    if (!dx) return;
    inputGradient.pack(kernels, window, kernel!.pointer, packed.pointer);
    inputGradient.run(kernels, window, n, dy.pointer, panels.pointer, 0, dx.pointer, 0, 0, ws);
  };
};
