import { OptionError, ShapeError } from "../errors.ts";
import { oneOf, positiveInteger } from "../options.ts";
import { shapeText, type Shape } from "../tensor.ts";
import type { Kernels } from "./kernels.ts";
import type { Window } from "./window.ts";

/** How a convolution or its filter gradient is computed. `"auto"` chooses by the shape alone. */
export type ConvAlgorithm = "auto" | "im2row" | "depthwise";

/** How the gradient with respect to the input is computed; `"im2row"` is `"col2im"` under the forward pass's name. */
export type InputGradientAlgorithm = ConvAlgorithm | "col2im" | "flipped";

/** A convolution: its window over the image, number of filters and of channel groups. */
export interface Conv2d {
  readonly window: Window;
  readonly f: number;
  readonly groups: number;
}

/** A step of a convolution, bound to its algorithm. */
export interface ConvPass<Arguments extends number[]> {
  /** Floats of workspace, however many images there are. */
  workspace(kernels: Kernels, window: number): number;
  /** Runs it: the address of the window, the number of images, the operands, the workspace. */
  run(kernels: Kernels, window: number, n: number, ...operands: Arguments): void;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** @throws OptionError unless the groups divide the channels and the filters. */
export function checkGroups(where: string, channels: number, filters: number, groups: number): void {
  positiveInteger(`${where}: groups`, groups);
  if (channels % groups !== 0 || filters % groups !== 0) {
    throw new OptionError(
      `${where}: groups: expected a divisor of ${channels} input channels and ${filters} filters, got ${groups}`,
    );
  }
}

/** @throws ShapeError naming `where` unless `filter` is `[kh, kw, c / groups, f]` for an image of `channels`. */
export function checkFilter(where: string, filter: Shape, channels: number, groups: number): void {
  if (filter.length !== 4 || filter[2] !== channels / groups) {
    throw new ShapeError(
      `${where}: expected [kh, kw, ${channels / groups}, filters] for ${channels} channels in ` +
        `${count(groups, "group")}, got ${shapeText(filter)}`,
    );
  }
}

function isDepthwise({ window, f, groups }: Conv2d): boolean {
  return groups > 1 && groups === window.c && f === window.c;
}

function resolve(where: string, conv: Conv2d, algorithm: ConvAlgorithm): "im2row" | "depthwise" {
  oneOf(`${where}: algorithm`, algorithm, ["auto", "im2row", "depthwise"]);
  if (algorithm === "depthwise" && !isDepthwise(conv)) {
    throw new OptionError(
      `${where}: algorithm: expected as many groups and filters as channels (${conv.window.c}) for "depthwise", ` +
        `got ${count(conv.groups, "group")} and ${count(conv.f, "filter")}`,
    );
  }
  if (algorithm === "auto") return isDepthwise(conv) ? "depthwise" : "im2row";
  return algorithm;
}

type Forward = ConvPass<
  [x: number, w: number, b: number, y: number, activation: number, alpha: number, workspace: number]
>;

/** The forward pass of `conv`. @throws OptionError when the algorithm does not fit. */
export function forwardPass(where: string, conv: Conv2d, algorithm: ConvAlgorithm): Forward {
  const { f, groups } = conv;
  if (resolve(where, conv, algorithm) === "depthwise") {
    return {
      workspace: () => 0,
      run: (kernels, window, n, x, w, b, y, activation, alpha) =>
        kernels.depthwiseConv2dForward(window, n, x, w, b, y, activation, alpha),
    };
  }
  return {
    workspace: (kernels, window) => kernels.conv2dForwardWorkspace(window, f, groups),
    run: (kernels, window, n, x, w, b, y, activation, alpha, workspace) =>
      kernels.conv2dForward(window, n, f, groups, x, w, b, y, activation, alpha, workspace),
  };
}

type FilterGradient = ConvPass<[x: number, dy: number, dw: number, workspace: number]>;

/** The gradient of `conv` with respect to its filters. @throws OptionError when the algorithm does not fit. */
export function filterGradientPass(where: string, conv: Conv2d, algorithm: ConvAlgorithm): FilterGradient {
  const { f, groups } = conv;
  if (resolve(where, conv, algorithm) === "depthwise") {
    return {
      workspace: () => 0,
      run: (kernels, window, n, x, dy, dw) => kernels.depthwiseConv2dBackpropFilter(window, n, x, dy, dw),
    };
  }
  return {
    workspace: (kernels, window) => kernels.conv2dBackpropFilterWorkspace(window, f, groups),
    run: (kernels, window, n, x, dy, dw, workspace) =>
      kernels.conv2dBackpropFilter(window, n, f, groups, x, dy, dw, workspace),
  };
}

type InputGradient = ConvPass<[dy: number, w: number, dx: number, workspace: number]>;

/** The gradient of `conv` with respect to its input. @throws OptionError when the algorithm does not fit. */
export function inputGradientPass(
  where: string,
  conv: Conv2d,
  algorithm: InputGradientAlgorithm,
): InputGradient {
  const { f, groups } = conv;
  const choices = ["auto", "im2row", "depthwise", "col2im", "flipped"] as const;
  oneOf(`${where}: algorithm`, algorithm, choices);
  const route = algorithm === "col2im" || algorithm === "flipped" ? "im2row" : algorithm;
  if (resolve(where, conv, route) === "depthwise") {
    return {
      workspace: () => 0,
      run: (kernels, window, n, dy, w, dx) => kernels.depthwiseConv2dBackpropInput(window, n, dy, w, dx),
    };
  }
  if (algorithm === "flipped" || (algorithm === "auto" && prefersFlipped(conv))) {
    return {
      workspace: (kernels, window) => kernels.conv2dBackpropInputFlippedWorkspace(window, f, groups),
      run: (kernels, window, n, dy, w, dx, workspace) =>
        kernels.conv2dBackpropInputFlipped(window, n, f, groups, dy, w, dx, workspace),
    };
  }
  return {
    workspace: (kernels, window) => kernels.conv2dBackpropInputCol2imWorkspace(window, f, groups),
    run: (kernels, window, n, dy, w, dx, workspace) =>
      kernels.conv2dBackpropInputCol2im(window, n, f, groups, dy, w, dx, workspace),
  };
}

/** What adding one patch gradient back to its pixel costs, in multiplications (measured: 8 to 11). */
const SCATTER_COST = 8;

/**
 * Whether the flipped route is the cheaper one, by counting multiplications; a matter of shapes alone. Flipped computes
 * `c` columns for every input pixel, col2im `kh·kw·c` columns for every output pixel and adds them back. At strides above
 * 1 most of what flipped multiplies is zero.
 */
function prefersFlipped({ window, f, groups }: Conv2d): boolean {
  if (window.strideH * window.strideW > 1) return false;
  const padded = (columns: number): number => Math.ceil(columns / 8) * 8;
  const [cg, fg, taps] = [window.c / groups, f / groups, window.kh * window.kw];
  const flipped = window.h * window.w * padded(cg) * taps * fg;
  const col2im = window.oh * window.ow * padded(taps * cg) * (fg + (taps > 1 ? SCATTER_COST : 0));
  return flipped < col2im;
}
