import * as layers from "../../../layers/index.ts";
import type { Shape } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import { constantInput, onHostByImage, required, type Node, type Operator } from "../operator.ts";
import type { Computed, Constant } from "../values.ts";
import { withWeights } from "../weights.ts";
import { perChannel } from "./broadcasting.ts";
import { convPlan } from "./convolutionPlans.ts";
import { checkImages, imagesOf, overPlane, type Images, type ImageSizes } from "./images.ts";
import { asPlane, slidingWindow, type Pair, type SlidingWindow } from "./window.ts";

/** Filters `[f, c / groups, kh, kw]`, or of one dimension, as `[kh, kw, c / groups, f]`. */
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
    throw new Unsupported(`expected filters of ${c} channels in ${groups} groups, got ${filters.join("×")}`);
  }
  if (sizes.join() !== kernel.join()) {
    throw new Unsupported(`kernel_shape: expected ${sizes.join("×")}, got ${kernel.join("×")}`);
  }
}

/** What the layer makes of images of one or two dimensions. */
function convolve(
  node: Node,
  images: Images,
  filters: Constant,
  bias: Constant | undefined,
  window: SlidingWindow,
): Computed {
  const { builder, attributes } = node;
  const f = filters.shape[0]!;
  const { kernel, strides, dilations, pads } = asPlane(window);
  const layer = layers.conv2d({
    filters: f,
    kernelSize: kernel as Pair,
    strides: strides as Pair,
    dilationRate: dilations as Pair,
    padding: pads as [Pair, Pair],
    groups: attributes.int("group", 1),
    useBias: bias !== undefined,
  });
  const loaded = withWeights(builder, layer, {
    kernel: planeFilters(filters),
    ...(bias && { bias: { constant: bias } }),
  });
  const y = overPlane(node, loaded, images, f, window.sizes);
  if (bias) return y;
  builder.origins.set(y.symbol, {
    withBias(later) {
      const own = perChannel(later, y.shape, 1);
      return own && convolve(node, images, filters, own, window);
    },
  });
  return y;
}

/** Of one and two dimensions it is a layer, of more a plan. */
const conv: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { attributes } = node;
    const x = required(node, 0);
    const images = checkImages(x);
    const { shape } = required(node, 1);
    const window = slidingWindow(node, images.sizes, attributes.ints("kernel_shape") ?? shape.slice(2));
    const groups = attributes.int("group", 1);
    checkFilters(images, shape, groups, window);
    if (window.kernel.length > 2) {
      return onHostByImage(node, images.n, (n) => convPlan({ ...images, n }, shape, groups, window));
    }
    const filters = constantInput(node, 1, "filters");
    const bias = node.inputs[2] && constantInput(node, 2, "bias");
    return [convolve(node, imagesOf(node, x), filters, bias, window)];
  },
};

export const CONVOLUTIONS: Readonly<Record<string, Operator>> = { Conv: conv };
