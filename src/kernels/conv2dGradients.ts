/** The gradients of a convolution, in a file of their own that the bundle of a program that only runs models does not contain. */
import { oneOf } from "../options.ts";
import {
  depthwiseFilters,
  paddedColumns,
  resolveAlgorithm,
  UNPACKED,
  type Conv2d,
  type ConvAlgorithm,
  type ConvPass,
} from "./conv2d.ts";

/** The algorithm of the gradient of the input; `"im2row"`, the forward pass's name, means `"col2im"`. */
export type InputGradientAlgorithm = ConvAlgorithm | "col2im" | "flipped";

type FilterGradient = Omit<
  ConvPass<[x: number, dy: number, dw: number, workspace: number]>,
  "packed" | "pack"
>;

/** The gradient of `conv` with respect to its filters. @throws OptionError when the algorithm cannot compute it */
export function filterGradientPass(where: string, conv: Conv2d, algorithm: ConvAlgorithm): FilterGradient {
  const { f, groups } = conv;
  const { c } = conv.window;
  const kind = resolveAlgorithm(where, conv, algorithm);
  if (kind === "depthwise") {
    return {
      workspace: () => 0,
      run: (kernels, window, n, x, dy, dw) => kernels.depthwiseConv2dBackpropFilter(window, n, x, dy, dw),
    };
  }
  if (kind === "winograd") {
    return {
      workspace: (kernels) => kernels.winogradBackpropFilterWorkspace(c, f),
      run: (kernels, window, n, x, dy, dw, workspace) =>
        kernels.winogradBackpropFilter(window, n, f, x, dy, dw, workspace),
    };
  }
  return {
    workspace: (kernels, window) => kernels.conv2dBackpropFilterWorkspace(window, f, groups),
    run: (kernels, window, n, x, dy, dw, workspace) =>
      kernels.conv2dBackpropFilter(window, n, f, groups, x, dy, dw, workspace),
  };
}

type InputGradient = ConvPass<[dy: number, filters: number, dx: number, workspace: number]>;

/** The gradient of `conv` with respect to its input. @throws OptionError when the algorithm cannot compute it */
export function inputGradientPass(
  where: string,
  conv: Conv2d,
  algorithm: InputGradientAlgorithm,
): InputGradient {
  const { f, groups } = conv;
  const { c } = conv.window;
  const choices = ["auto", "im2row", "winograd", "depthwise", "col2im", "flipped"] as const;
  oneOf(`${where}: algorithm`, algorithm, choices);
  const route = algorithm === "col2im" || algorithm === "flipped" ? "im2row" : algorithm;
  const kind = resolveAlgorithm(where, conv, route);
  if (kind === "depthwise") {
    return {
      ...depthwiseFilters(conv),
      workspace: (kernels) => kernels.depthwiseConv2dWorkspace(),
      run: (kernels, window, n, dy, w, dx, workspace) =>
        kernels.depthwiseConv2dBackpropInput(window, n, dy, w, dx, workspace),
    };
  }
  if (kind === "winograd") {
    return {
      workspace: (kernels) => kernels.winogradBackpropInputWorkspace(c, f),
      packed: (kernels) => kernels.winogradPackedFilters(f, c),
      pack: (kernels, _, w, packed) => kernels.winogradPackRotatedFilters(c, f, w, packed),
      run: (kernels, window, n, dy, packed, dx, workspace) =>
        kernels.winogradBackpropInput(window, n, f, dy, packed, dx, workspace),
    };
  }
  if (algorithm === "flipped" || (algorithm === "auto" && prefersFlipped(conv))) {
    return {
      ...UNPACKED,
      workspace: (kernels, window) => kernels.conv2dBackpropInputFlippedWorkspace(window, f, groups),
      run: (kernels, window, n, dy, w, dx, workspace) =>
        kernels.conv2dBackpropInputFlipped(window, n, f, groups, dy, w, dx, workspace),
    };
  }
  return {
    ...UNPACKED,
    workspace: (kernels, window) => kernels.conv2dBackpropInputCol2imWorkspace(window, f, groups),
    run: (kernels, window, n, dy, w, dx, workspace) =>
      kernels.conv2dBackpropInputCol2im(window, n, f, groups, dy, w, dx, workspace),
  };
}

/** The cost of adding one patch gradient back to its pixel, in multiplications (measured: 8 to 11). */
const SCATTER_COST = 8;

/**
 * True when the flipped route needs fewer multiplications; it depends on the shape alone. Flipped computes `c` columns for
 * each input pixel; col2im computes `kh·kw·c` columns for each output pixel and adds them back. With strides above 1 most
 * factors of flipped are zeros.
 */
function prefersFlipped({ window, f, groups }: Conv2d): boolean {
  if (window.strideH * window.strideW > 1) return false;
  const [cg, fg, taps] = [window.c / groups, f / groups, window.kh * window.kw];
  const flipped = window.h * window.w * paddedColumns(cg) * taps * fg;
  const col2im = window.oh * window.ow * paddedColumns(taps * cg) * (fg + (taps > 1 ? SCATTER_COST : 0));
  return flipped < col2im;
}
