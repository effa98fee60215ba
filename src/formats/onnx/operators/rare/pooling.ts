/** Pooling over more than two axes, with windows that no layer has, with the places of the maxima, and by norms: on the host. */
import {
  onHost,
  onHostByImage,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import type { Value } from "../../values.ts";
import { checkImages } from "../images.ts";
import { poolWindow } from "../pooling.ts";
import type { Pair, SlidingWindow } from "../window.ts";
import { averages, lpNorms, maxima, poolPlan, type Pool } from "./poolPlans.ts";

/** The pooling of images of any number of dimensions. */
function onHostPooled(node: Node, x: Value, window: SlidingWindow, pool: Pool): Value {
  const { n, c, sizes } = checkImages(x);
  return onHostByImage({ ...node, inputs: [x], outputs: 1 }, n, (images) =>
    poolPlan({ n: images, c, sizes }, window, pool),
  )[0]!;
}

const maxPool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const images = checkImages(x);
    const window = poolWindow(node, images.sizes);
    const pool = maxima(node.attributes.flag("storage_order", false), images.sizes);
    // Winners are counted through all images.
    if (node.outputs > 1) return onHost(node, poolPlan(images, window, pool, true));
    return [onHostPooled(node, x, window, pool)];
  },
};

const averagePool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { sizes } = checkImages(x);
    const window = poolWindow(node, sizes);
    const counts = node.attributes.flag("count_include_pad", false);
    return [onHostPooled(node, x, window, averages(window, sizes, counts))];
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

export const POOLS: OperatorTable = {
  AveragePool: averagePool,
  GlobalLpPool: globalLpPool,
  LpPool: lpPool,
  MaxPool: maxPool,
};
