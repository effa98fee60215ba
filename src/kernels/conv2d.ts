import { OptionError, ShapeError } from "../errors.ts";
import { oneOf, positiveInteger } from "../options.ts";
import { shapeText, type Shape } from "../tensor.ts";
import { PANEL_COLUMNS, WINOGRAD_OUT, WINOGRAD_POINTS, type Kernels } from "./kernels.ts";
import type { Window } from "./window.ts";

/** The algorithm of a convolution or of its filter gradient. `"auto"` chooses by the shape alone. */
export type ConvAlgorithm = "auto" | "im2row" | "winograd" | "depthwise";

const ALGORITHMS = ["auto", "im2row", "winograd", "depthwise"] as const;

/** @throws OptionError naming `where` unless `algorithm` is one */
export function checkAlgorithm(where: string, algorithm: unknown): ConvAlgorithm {
  return oneOf(where, algorithm, ALGORITHMS);
}

/** A convolution: its window over the image, the number of filters, and the number of channel groups. */
export interface Conv2d {
  readonly window: Window;
  readonly f: number;
  readonly groups: number;
}

/** The forward pass of a convolution, or one of its gradients, by one algorithm. */
export interface ConvPass<Arguments extends number[]> {
  /** The number of floats of its workspace, which does not depend on the number of images. */
  workspace(kernels: Kernels, window: number): number;
  /** The number of floats of the packed filters that it reads instead of `w`; 0 when it packs them itself. */
  packed(kernels: Kernels, window: number): number;
  /** Packs the filters; it runs once after each change of them. */
  pack(kernels: Kernels, window: number, w: number, packed: number): void;
  /** Runs the pass. The arguments are the address of the window, the number of images, the operands and the workspace. */
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
  return groups === window.c && f === window.c;
}

/** Rounds a number of columns up to whole panels. */
export const paddedColumns = (columns: number): number => Math.ceil(columns / PANEL_COLUMNS) * PANEL_COLUMNS;

/** The fewest channels and filters for which transforming tiles can be worth it. */
const FEWEST = 8;
/**
 * The costs of transforming a channel and a filter of a tile, and of starting a product, in multiplications (fitted).
 */
const TRANSFORM_CHANNEL = 140;
const TRANSFORM_FILTER = 200;
const START = 8;

/** True when Winograd's F(4×4, 3×3) can compute the convolution. */
function suitsWinograd({ window, groups }: Conv2d): boolean {
  const { kh, kw, strideH, strideW, dilationH, dilationW } = window;
  return kh * kw === 9 && kh === kw && strideH * strideW * dilationH * dilationW * groups === 1;
}

/** True when Winograd's algorithm needs fewer multiplications for an image; it depends on the shape alone. */
function prefersWinograd(conv: Conv2d): boolean {
  const { window, f } = conv;
  const { oh, ow, c } = window;
  if (!suitsWinograd(conv) || Math.min(c, f) < FEWEST) return false;
  const columns = paddedColumns(f);
  const tile = WINOGRAD_POINTS * (c + START) * columns + TRANSFORM_CHANNEL * c + TRANSFORM_FILTER * f;
  return Math.ceil(oh / WINOGRAD_OUT) * Math.ceil(ow / WINOGRAD_OUT) * tile < oh * ow * 9 * c * columns;
}

/** Resolves `"auto"` to an algorithm. @throws OptionError naming `where` when the algorithm cannot compute `conv` */
export function resolveAlgorithm(
  where: string,
  conv: Conv2d,
  algorithm: ConvAlgorithm,
): Exclude<ConvAlgorithm, "auto"> {
  const depthwise = isDepthwise(conv);
  checkAlgorithm(`${where}: algorithm`, algorithm);
  if (algorithm === "depthwise" && !depthwise) {
    throw new OptionError(
      `${where}: algorithm: expected as many groups and filters as channels (${conv.window.c}) for "depthwise", ` +
        `got ${count(conv.groups, "group")} and ${count(conv.f, "filter")}`,
    );
  }
  if (algorithm === "winograd" && !suitsWinograd(conv)) {
    throw new OptionError(
      `${where}: algorithm: expected 3×3 filters and no strides, dilation or groups for "winograd"`,
    );
  }
  if (algorithm !== "auto") return algorithm;
  // With a single channel, a depthwise convolution is an ordinary one.
  if (depthwise && conv.groups > 1) return "depthwise";
  return prefersWinograd(conv) ? "winograd" : "im2row";
}

/**
 * The algorithm of one convolution when `compile` asks for `algorithm` for all: depthwise ones never use im2row.
 */
export function sharedAlgorithm(conv: Conv2d, algorithm: ConvAlgorithm): ConvAlgorithm {
  return isDepthwise(conv) && algorithm === "im2row" ? "auto" : algorithm;
}

type Forward = ConvPass<
  [x: number, filters: number, b: number, y: number, activation: number, alpha: number, workspace: number]
>;

/** The members of a pass that packs the filters itself. */
export const UNPACKED = { packed: () => 0, pack: () => {} };

/** The packing of the depthwise passes, which read a copy of the filters with zeros for subnormal numbers. */
export function depthwiseFilters({ window: { kh, kw, c } }: Conv2d): Pick<ConvPass<[]>, "packed" | "pack"> {
  const size = kh * kw * c;
  return {
    packed: () => size,
    pack: (kernels, _, w, packed) => kernels.flushSubnormals(size, w, packed),
  };
}

/** The forward pass of `conv`. @throws OptionError naming `where` when the algorithm cannot compute it */
export function forwardPass(where: string, conv: Conv2d, algorithm: ConvAlgorithm): Forward {
  const { f, groups } = conv;
  const { c } = conv.window;
  const kind = resolveAlgorithm(where, conv, algorithm);
  if (kind === "depthwise") {
    return {
      ...depthwiseFilters(conv),
      workspace: (kernels) => kernels.depthwiseConv2dWorkspace(),
      run: (kernels, window, n, x, w, b, y, activation, alpha, workspace) =>
        kernels.depthwiseConv2dForward(window, n, x, w, b, y, activation, alpha, workspace),
    };
  }
  if (kind === "winograd") {
    return {
      workspace: (kernels) => kernels.winogradForwardWorkspace(c, f),
      packed: (kernels) => kernels.winogradPackedFilters(c, f),
      pack: (kernels, _, w, packed) => kernels.winogradPackFilters(c, f, w, packed),
      run: (kernels, window, n, x, packed, b, y, activation, alpha, workspace) =>
        kernels.winogradForward(window, n, f, x, packed, b, y, activation, alpha, workspace),
    };
  }
  return {
    workspace: (kernels, window) => kernels.conv2dForwardWorkspace(window, groups),
    packed: (kernels, window) => kernels.conv2dPackedFilters(window, f, groups),
    pack: (kernels, window, w, packed) => kernels.conv2dPackFilters(window, f, groups, w, packed),
    run: (kernels, window, n, x, packed, b, y, activation, alpha, workspace) =>
      kernels.conv2dForward(window, n, f, groups, x, packed, b, y, activation, alpha, workspace),
  };
}
