/** Constants that meet values of images: what each image has of them, and which of them are weights that learn. */
import { sizeOf, type Shape } from "../../tensor.ts";
import { BatchDependent, type Builder } from "./builder.ts";
import { CONSTANT } from "../../layers/constant.ts";
import * as layers from "../../layers/index.ts";
import { reorder } from "../file/reorder.ts";
import { fileOrder } from "./order.ts";
import type { Constant } from "../file/constant.ts";
import { isConstant, type Computed, type Value } from "./values.ts";
import { withWeights } from "./weights.ts";

/**
 * What each image has of a constant, with 1 in front; of a graph that is not batched the constant itself.
 * @throws BatchDependent when it follows from the number of images, or is not the same for all
 */
export function eachImage(builder: Builder, constant: Constant): Constant {
  const { batch } = builder;
  const { type, shape, each, ofShape } = constant;
  if (batch === undefined) return constant;
  if (each && shape[0] === batch && sizeOf(each.shape) * batch === sizeOf(shape)) {
    return { ...each, type, shape: [1, ...shape.slice(1)] };
  }
  if (ofShape) throw new BatchDependent("it computes with the number of images");
  if (shape[0] === 1) return constant;
  if (shape[0] !== batch) throw new BatchDependent("a constant has images of its own");
  const size = sizeOf(shape) / batch;
  builder.spend(sizeOf(shape));
  const data = constant.data();
  if (!data.every((value: number, i: number) => Object.is(value, data[i % size]))) {
    throw new BatchDependent("a constant has images of its own");
  }
  return { type, shape: [1, ...shape.slice(1)], data: () => data.slice(0, size) };
}

/** A constant as a value that is computed, the same for each image. @throws BatchDependent as `eachImage` */
export function computedOf(builder: Builder, value: Value, order?: readonly number[]): Computed {
  if (!isConstant(value)) return value;
  const constant = eachImage(builder, value);
  return weightOf(builder, constant, order) ?? repeatedOf(builder, constant, false, order);
}

/**
 * Does what `computedOf` does for a weight that learns; of any other constant it returns the part of each image.
 * @throws BatchDependent
 */
export function besideImages(builder: Builder, value: Value, order?: readonly number[]): Value {
  if (!isConstant(value)) return value;
  const constant = eachImage(builder, value);
  return weightOf(builder, constant, order) ?? constant;
}

/**
 * The value of an initializer that learns where it meets images: one of several float numbers, the same for each image. All who read it read one
 * value, so that its gradient is the sum of theirs.
 */
export function weightOf(
  builder: Builder,
  constant: Constant,
  order?: readonly number[],
): Computed | undefined {
  const { batch, weights } = builder;
  const { source, weight, shape } = constant;
  if (batch === undefined || !weight || !source || shape[0] !== 1 || sizeOf(shape) < 2) return undefined;
  const known = weights.get(source);
  if (known) return builder.reshaped(known, [batch, ...shape.slice(1)]) as Computed;
  const value = repeatedOf(builder, constant, true, order);
  builder.learn(source, value);
  return value;
}

/** A constant of one image for all of them: a weight of a layer, unless it is of integers. */
function repeatedOf(
  builder: Builder,
  constant: Constant,
  learns: boolean,
  order: readonly number[] = fileOrder(constant.shape.length),
): Computed {
  const { type, shape, source } = constant;
  const made: Shape = builder.batch === undefined ? shape : [builder.batch, ...shape.slice(1)];
  const layer = layers.constant({
    shape: builder.seen(made, order),
    ...(type !== "float32" && {
      integers: reorder(constant.data(), shape, order, new Float64Array(sizeOf(shape))),
    }),
  });
  const loaded =
    type === "float32" ? withWeights(builder, layer, { [CONSTANT]: { constant, order, learns } }) : layer;
  // It reads an input, and looks at nothing: a model's graph starts with one.
  const from = builder.given ? [builder.given] : [];
  return builder.apply(loaded, from, { type, shape: made }, order, learns ? source!.name : undefined);
}
