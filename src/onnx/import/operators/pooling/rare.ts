/** Pooling with other windows, by the layer `pool`; over more axes, with indices of the maxima, or by norms, on the host. */
import {
  onHost,
  onHostByImage,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { isConstant, type Value } from "../../values.ts";
import { maxima as maxima2d, means, type Build } from "../../../../layers/pooling2d.ts";
import { sizeOf } from "../../../../tensor.ts";
import * as layers from "../../../../layers/index.ts";
import { checkImages, imagesOf, overPlane } from "../window/images.ts";
import { poolWindow } from "./common.ts";
import { asPlane, type Pair, type SlidingWindow } from "../window/window.ts";
import { averages, lpNorms, maxima, poolPlan, type Pool } from "./plans.ts";

/** Pools images of any number of dimensions on the host. */
function onHostPooled(node: Node, x: Value, window: SlidingWindow, pool: Pool): Value {
  const { n, c, sizes } = checkImages(x);
  return onHostByImage({ ...node, inputs: [x], outputs: 1 }, n, (images) =>
    poolPlan({ n: images, c, sizes }, window, pool),
  )[0]!;
}

/** True when each window along an axis contains an element: its first tap after the leading padding is inside. */
function hasTaps(
  { kernel, strides, dilations, pads, sizes }: SlidingWindow,
  size: number,
  i: number,
): boolean {
  for (let position = 0; position < sizes[i]!; position++) {
    const start = position * strides[i]! - pads[i]![0];
    const first = start < 0 ? Math.ceil(-start / dilations[i]!) : 0;
    if (first >= kernel[i]! || start + first * dilations[i]! >= size) return false;
  }
  return true;
}

/** Pools by the kernels; undefined for more than two axes and for windows that lie within the padding alone. */
function onPlane(node: Node, x: Value, window: SlidingWindow, build: Build): Value | undefined {
  const { sizes } = checkImages(x);
  if (isConstant(x) || sizes.length > 2 || sizeOf(x.shape) === 0) return undefined;
  if (!sizes.every((size, i) => hasTaps(window, size, i))) return undefined;
  const { kernel, strides, dilations, pads, sizes: made } = asPlane(window);
  const [[kh, kw], [strideH, strideW]] = [kernel, strides] as [Pair, Pair];
  const [[dilationH, dilationW], [oh, ow]] = [dilations, made] as [Pair, Pair];
  const [top, left] = [pads[0]![0], pads[1]![0]];
  const plane = { kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left };
  const images = imagesOf(node, x);
  return overPlane(
    node,
    layers.pool({ kind: build === means ? "average" : "max", window: plane }),
    images,
    images.c,
    window.sizes,
  );
}

const maxPool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const images = checkImages(x);
    const window = poolWindow(node, images.sizes);
    const pool = maxima(node.attributes.flag("storage_order", false), images.sizes);
    // Indices of the winners count the elements of all images, so that one image cannot be computed by itself.
    if (node.outputs > 1) return onHost(node, poolPlan(images, window, pool, true));
    return [onPlane(node, x, window, maxima2d) ?? onHostPooled(node, x, window, pool)];
  },
};

const averagePool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { sizes } = checkImages(x);
    const window = poolWindow(node, sizes);
    const counts = node.attributes.flag("count_include_pad", false);
    const padded = counts && window.pads.flat().some((pad) => pad > 0);
    const made = padded ? undefined : onPlane(node, x, window, means);
    return [made ?? onHostPooled(node, x, window, averages(window, sizes, counts))];
  },
};

const lpPool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const window = poolWindow(node, checkImages(x).sizes);
    return [onHostPooled(node, x, window, lpNorms(node.attributes.int("p", 2)))];
  },
};

const globalLpPool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { sizes } = checkImages(x);
    const ones = sizes.map(() => 1);
    const window = {
      kernel: sizes,
      strides: ones,
      dilations: ones,
      pads: sizes.map((): Pair => [0, 0]),
      sizes: ones,
    };
    return [onHostPooled(node, x, window, lpNorms(node.attributes.int("p", 2)))];
  },
};

export function rarePools(): OperatorTable {
  return {
    AveragePool: averagePool,
    GlobalLpPool: globalLpPool,
    LpPool: lpPool,
    MaxPool: maxPool,
  };
}
