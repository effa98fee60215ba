/** Means and maxima over the pixels of images. */
import * as layers from "../../../../layers/index.ts";
import type { Layer } from "../../../../layers/contract.ts";
import { sizeOf, type Shape } from "../../../../tensor.ts";
import { OtherForm } from "../../node.ts";
import { axesOf, listOf, required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import { channelsLast, fileOrder } from "../../order.ts";
import { isComputed, type Value } from "../../values.ts";

/** The axes that are reduced; `keep` is true when they stay as axes of size 1. */
export interface Axes {
  readonly reduced: ReadonlySet<number>;
  readonly keep: boolean;
}

export const keptShape = (shape: Shape, { reduced }: Axes): number[] =>
  shape.map((size, axis) => (reduced.has(axis) ? 1 : size));

export const resultShape = (shape: Shape, axes: Axes): Shape =>
  axes.keep ? keptShape(shape, axes) : shape.filter((_, axis) => !axes.reduced.has(axis));

/** Makes an operator of a value and axes, which are an attribute in early versions and an input in later ones. */
export function over(lower: (node: Node, x: Value, axes: Axes) => Value): Operator {
  return {
    inputs: [1, 2],
    lower(node) {
      const { attributes } = node;
      const x = required(node, 0);
      const { length: rank } = x.shape;
      const listed = listOf(node, "axes", 1) ?? [];
      const none = attributes.flag("noop_with_empty_axes", false);
      const axes = listed.length > 0 || none ? axesOf(listed, rank) : fileOrder(rank);
      return [lower(node, x, { reduced: new Set(axes), keep: attributes.flag("keepdims", true) })];
    },
  };
}

/** Makes a reduction over the pixels of images by a pooling layer. @throws OtherForm for other axes and other values */
function overPixels(make: () => Layer): Operator {
  return over((node, x, axes) => {
    const { builder } = node;
    const { type, shape } = x;
    const pixels = shape.length === 4 && sizeOf(shape) !== 0 && [...axes.reduced].sort().join() === "2,3";
    if (!pixels || !isComputed(x) || type !== "float32") throw new OtherForm();
    const images = builder.ordered(x, channelsLast(4));
    const y = builder.applyToImages(make(), [images], { type, shape: shape.slice(0, 2) }, [0, 1]);
    return builder.reshaped(y, resultShape(shape, axes));
  });
}

export function commonReductions(): OperatorTable {
  return {
    ReduceMax: overPixels(layers.globalMaxPooling2d),
    ReduceMean: overPixels(layers.globalAveragePooling2d),
  };
}
