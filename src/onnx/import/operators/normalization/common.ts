import * as layers from "../../../../layers/index.ts";
import { shapeText, sizeOf, type Shape } from "../../../../tensor.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import {
  axisOf,
  constantInput,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { channelsLast } from "../../order.ts";
import { DATA_TYPE } from "../../../file/proto.ts";
import { dataTypeName } from "../../../file/tensorData.ts";
import { computedOf } from "../../constants.ts";
import type { Constant } from "../../../file/constant.ts";
import type { Value } from "../../values.ts";
import { withWeights, type WeightSource } from "../../weights.ts";
import { range } from "../axisTable.ts";
import { checkImages, imagesOf } from "../window/images.ts";

/** An input that is a constant of this shape, or with axes of size 1 in front of it. @throws Unsupported */
function weightOf(node: Node, index: number, what: string, shape: Shape): Constant {
  const constant = constantInput(node, index, what);
  const front = constant.shape.length - shape.length;
  const fits = constant.shape.every((size, axis) => size === (axis < front ? 1 : shape[axis - front]));
  if (constant.type === "float32" && front >= 0 && fits) return { ...constant, shape };
  throw new Unsupported(
    `${what}: expected float32 of shape ${shapeText(shape)}, got ${constant.type} of shape ${shapeText(constant.shape)}`,
  );
}

/** @throws Unsupported unless `stash_type` is float32, in which statistics are computed */
function checkStash({ attributes }: Node): void {
  const type = attributes.int("stash_type", DATA_TYPE.float32);
  if (type !== DATA_TYPE.float32) {
    throw new Unsupported(`stash_type: expected float32, got ${dataTypeName(type)}`);
  }
}

/** Initializers learn. Other constants do not: PyTorch writes ones and zeros in place of a missing scale and shift. */
const sourceOf = (constant: Constant): WeightSource => ({ constant, learns: constant.weight ?? false });

export const epsilonOf = ({ attributes }: Node): number => attributes.float("epsilon", 1e-5);

/** Opset 6 has a test mode, in 7 to 13 the outputs decide, and from 14 on there is a training mode. */
function isTraining({ attributes, outputs }: Node): boolean {
  const { version } = attributes;
  if (version >= 14) return attributes.flag("training_mode", false);
  return version < 7 ? !attributes.flag("is_test", false) : outputs > 1;
}

/** The node's input, the same with its channels as axis 1, the momentum and the number of channels. @throws Unsupported */
export function batchOf(node: Node): { x: Value; seen: Value; momentum: number; channels: number } {
  const { builder, attributes } = node;
  const x = required(node, 0);
  const [n, ...sizes] = x.shape;
  if (x.type !== "float32" || sizes.length === 0) {
    throw new Unsupported(`expected float32 [n, c, …], got ${x.type} ${shapeText(x.shape)}`);
  }
  // In opsets 6 to 8 every element of an image may have statistics of its own.
  const spatial = attributes.flag("spatial", true);
  const seen = spatial ? x : builder.reshaped(x, [n!, sizeOf(sizes)]);
  return { x, seen, momentum: attributes.float("momentum", 0.9), channels: seen.shape[1]! };
}

const batchNormalization: Operator = {
  inputs: [5, 5],
  resizable: true,
  lower(node) {
    const { builder } = node;
    const { x, seen, momentum, channels } = batchOf(node);
    if (isTraining(node)) throw new OtherForm();
    const layer = layers.batchNormalization({ epsilon: epsilonOf(node), momentum });
    const names = ["gamma", "beta", "movingMean", "movingVariance"];
    const each = seen === x ? [channels] : x.shape.slice(1);
    const weights = names.map((name, i) => [
      name,
      sourceOf({ ...weightOf(node, i + 1, name, each), shape: [channels] }),
    ]);
    const loaded = withWeights(builder, layer, Object.fromEntries(weights));
    const input = builder.ordered(computedOf(builder, seen), channelsLast(seen.shape.length));
    return [builder.reshaped(builder.apply(loaded, [input], seen, input.order), x.shape)];
  },
};

/** Applies a layer that normalizes each image by its own statistics, with a `gamma` and a `beta` for each channel. */
function normalizedImages(
  node: Node,
  make: (options: { epsilon: number }) => ReturnType<typeof layers.instanceNormalization>,
  weight: (index: number, what: string, c: number) => Constant,
): Value[] {
  const { builder } = node;
  const images = imagesOf(node, required(node, 0));
  const { value, c } = images;
  const loaded = withWeights(builder, make({ epsilon: epsilonOf(node) }), {
    gamma: sourceOf(weight(1, "scale", c)),
    beta: sourceOf(weight(2, "bias", c)),
  });
  return [builder.applyToImages(loaded, [value], value, value.order)];
}

const instanceNormalization: Operator = {
  inputs: [3, 3],
  lower: (node) =>
    normalizedImages(node, layers.instanceNormalization, (index, what, c) =>
      weightOf(node, index, what, [c]),
    ),
};

/** Opsets 18 to 20 have a scale for each group, later ones for each channel. */
const groupNormalization: Operator = {
  inputs: [3, 3],
  lower(node) {
    const { attributes } = node;
    checkStash(node);
    const groups = attributes.requiredInt("num_groups");
    const { c } = checkImages(required(node, 0));
    if (groups < 1 || c % groups !== 0) {
      throw new Unsupported(`num_groups: expected a divisor of the ${c} channels, got ${groups}`);
    }
    const weight = (index: number, what: string): Constant => {
      if (attributes.version >= 21) return weightOf(node, index, what, [c]);
      const { data, ofShape } = weightOf(node, index, what, [groups]);
      const repeated = (): Float32Array => {
        const each = data();
        return Float32Array.from({ length: c }, (_, channel) => each[Math.floor((channel * groups) / c)]!);
      };
      return { type: "float32", shape: [c], data: repeated, ofShape: ofShape ?? false };
    };
    return normalizedImages(node, ({ epsilon }) => layers.groupNormalization({ epsilon, groups }), weight);
  },
};

export const layerNormalization: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { builder, attributes } = node;
    if (node.outputs > 1) throw new OtherForm();
    checkStash(node);
    const value = computedOf(builder, required(node, 0));
    const { shape } = value;
    const axis = axisOf(attributes.int("axis", -1), shape.length);
    builder.axis(value, axis);
    // The layer needs the normalized axes last in memory, in any order.
    const x = value.order.slice(axis).every((each) => each >= axis) ? value : builder.inFileOrder(value);
    const order = x.order.slice(axis).map((each) => each - axis);
    const sizes = shape.slice(axis);
    const weight = (index: number, what: string): WeightSource => {
      return { ...sourceOf(weightOf(node, index, what, sizes)), order };
    };
    const center = node.inputs[2] !== undefined;
    const layer = layers.layerNormalization({
      axis: range(sizes.length, (i) => -1 - i),
      epsilon: epsilonOf(node),
      center,
    });
    const loaded = withWeights(builder, layer, {
      gamma: weight(1, "scale"),
      ...(center && { beta: weight(2, "bias") }),
    });
    return [builder.apply(loaded, [x], x, x.order)];
  },
};

export function commonNormalizations(): OperatorTable {
  return {
    BatchNormalization: batchNormalization,
    GroupNormalization: groupNormalization,
    InstanceNormalization: instanceNormalization,
    LayerNormalization: layerNormalization,
  };
}
