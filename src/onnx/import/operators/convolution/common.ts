import * as layers from "../../../../layers/index.ts";
import type { Layer } from "../../../../layers/contract.ts";
import { shapeText } from "../../../../tensor.ts";
import type { Shape } from "../../../../tensor.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import { constantInput, required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import type { Constant } from "../../../file/constant.ts";
import type { Computed } from "../../values.ts";
import { withWeights, type WeightSource } from "../../weights.ts";
import { perChannel } from "../broadcasting.ts";
import { checkImages, imagesOf, overPlane, type Images, type ImageSizes } from "../window/images.ts";
import { asPlane, slidingWindow, type Pair, type SlidingWindow } from "../window/window.ts";

/** The filters `[f, c / groups, kh, kw]`, or those of a 1-D convolution, in the order `[kh, kw, c / groups, f]`. */
function planeFilters(filters: Constant): { constant: Constant; order: number[] } {
  const { shape } = filters;
  if (shape.length === 4) return { constant: filters, order: [2, 3, 1, 0] };
  const [f, c, k] = shape as [number, number, number];
  return { constant: { ...filters, shape: [f, c, 1, k] }, order: [2, 3, 1, 0] };
}

/** @throws Unsupported unless the filters `[f, c / groups, …]` are for images of `c` channels and of this window */
export function checkFilters(
  { c }: ImageSizes,
  filters: Shape,
  groups: number,
  { kernel }: SlidingWindow,
): void {
  const [f, cg, ...sizes] = filters as [number, number, ...number[]];
  if (cg * groups !== c || f % groups !== 0) {
    throw new Unsupported(`expected filters of ${c} channels in ${groups} groups, got ${shapeText(filters)}`);
  }
  if (sizes.join() !== kernel.join()) {
    throw new Unsupported(`kernel_shape: expected ${shapeText(sizes)}, got ${shapeText(kernel)}`);
  }
}

/** The options that convolutions and transposed ones share. */
interface PlaneOptions {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly dilationRate: Pair;
  readonly padding: [Pair, Pair];
  readonly groups: number;
  readonly useBias: boolean;
}

/**
 * A layer of `f` filters with the file's weights, which turns images of one or two dimensions into others of `sizes`.
 */
export interface Convolution {
  readonly images: Images;
  readonly filters: Constant;
  readonly window: SlidingWindow;
  readonly f: number;
  readonly sizes: readonly number[];
  make(options: PlaneOptions): Layer;
}

/** Lowers a convolution. Without a bias it may get one later, from an addition that follows it. */
export function convolve(node: Node, convolution: Convolution, bias?: WeightSource): Computed {
  const { builder, attributes } = node;
  const { images, filters, window, f, sizes, make } = convolution;
  const { kernel, strides, dilations, pads } = asPlane(window);
  const layer = make({
    kernelSize: kernel as Pair,
    strides: strides as Pair,
    dilationRate: dilations as Pair,
    padding: pads as [Pair, Pair],
    groups: attributes.int("group", 1),
    useBias: bias !== undefined,
  });
  const loaded = withWeights(builder, layer, {
    kernel: planeFilters(filters),
    ...(bias && { bias }),
  });
  const y = overPlane(node, loaded, images, f, sizes);
  if (bias) return y;
  builder.origins.set(y, {
    withBias(later) {
      const own = perChannel(later, y.shape, 1);
      return own && convolve(node, convolution, { constant: own, learns: own.weight ?? false });
    },
  });
  return y;
}

/** Reads a convolution from a node's attributes and its filters `[f, c / groups, …]`. @throws Unsupported */
export function convWindow(node: Node): { images: ImageSizes; filters: Shape; window: SlidingWindow } {
  const { attributes } = node;
  const images = checkImages(required(node, 0));
  const { shape: filters } = required(node, 1);
  const window = slidingWindow(node, images.sizes, attributes.ints("kernel_shape") ?? filters.slice(2));
  checkFilters(images, filters, attributes.int("group", 1), window);
  return { images, filters, window };
}

/** A convolution over one or two dimensions is a layer. */
const conv: Operator = {
  inputs: [2, 3],
  resizable: true,
  lower(node) {
    const { filters, window } = convWindow(node);
    if (window.kernel.length > 2) throw new OtherForm();
    const f = filters[0]!;
    const convolution = {
      images: imagesOf(node, required(node, 0)),
      filters: constantInput(node, 1, "filters"),
      window,
      f,
      sizes: window.sizes,
      make: (options: PlaneOptions) => layers.conv2d({ ...options, filters: f }),
    };
    return [convolve(node, convolution, node.inputs[2] && { constant: constantInput(node, 2, "bias") })];
  },
};

export function commonConvolutions(): OperatorTable {
  return { Conv: conv };
}
