import * as layers from "../../../layers/index.ts";
import { Unsupported } from "../node.ts";
import { constantInput, required, type Node, type Operator } from "../operator.ts";
import { type Computed, type Constant } from "../values.ts";
import { withWeights } from "../weights.ts";
import { perChannel } from "./broadcasting.ts";
import { imagesOf, overPlane, type Images } from "./images.ts";
import { asPlane, slidingWindow } from "./window.ts";

/** Filters `[f, c / groups, kh, kw]`, or of one dimension, as `[kh, kw, c / groups, f]`. */
function planeFilters(filters: Constant): { constant: Constant; order: number[] } {
  const { shape } = filters;
  if (shape.length === 4) return { constant: filters, order: [2, 3, 1, 0] };
  const [f, c, k] = shape as [number, number, number];
  return { constant: { ...filters, shape: [f, c, 1, k] }, order: [2, 3, 1, 0] };
}

function convolve(node: Node, images: Images, filters: Constant, bias: Constant | undefined): Computed {
  const { builder, attributes } = node;
  const [f, cg, ...sizes] = filters.shape as [number, number, ...number[]];
  const groups = attributes.int("group", 1);
  if (cg * groups !== images.c || f % groups !== 0) {
    throw new Unsupported(
      `expected filters of ${images.c} channels in ${groups} groups, got ${filters.shape.join("×")}`,
    );
  }
  const window = slidingWindow(node, images.sizes, attributes.ints("kernel_shape") ?? sizes);
  const { kernel, strides, dilations, pads } = asPlane(window);
  const [kernelSize, pair] = [kernel as [number, number], pads as [[number, number], [number, number]]];
  if (sizes.join() !== window.kernel.join()) {
    throw new Unsupported(`kernel_shape: expected ${sizes.join("×")}, got ${window.kernel.join("×")}`);
  }
  const layer = layers.conv2d({
    filters: f,
    kernelSize,
    strides: strides as [number, number],
    dilationRate: dilations as [number, number],
    padding: pair,
    groups,
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
      return own && convolve(node, images, filters, own);
    },
  });
  return y;
}

const conv: Operator = {
  inputs: [2, 3],
  lower(node) {
    const x = required(node, 0);
    const filters = constantInput(node, 1, "filters");
    const bias = node.inputs[2] && constantInput(node, 2, "bias");
    if (x.shape.length > 4)
      throw new Unsupported(`expected one or two dimensions, got ${x.shape.length - 2}`);
    return [convolve(node, imagesOf(node, x), filters, bias)];
  },
};

export const CONVOLUTIONS: Readonly<Record<string, Operator>> = { Conv: conv };
