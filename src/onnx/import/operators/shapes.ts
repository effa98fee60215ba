/** Operators that only change the shape, or return it, and those that return their input or a constant. */
import { listed } from "../../../options.ts";
import { sizeOf } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import {
  axesOf,
  axisOf,
  checkSizes,
  constantOf,
  filledWith,
  knownNumber,
  listOf,
  required,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import { fileOrder } from "../order.ts";
import { isConstant } from "../values.ts";
import { along } from "./axisTable.ts";
import { transposed } from "./transpose.ts";

const reshape: Operator = {
  inputs: [1, 2],
  lower(node) {
    const { attributes, builder } = node;
    const x = required(node, 0);
    const wanted = listOf(node, "shape", 1, undefined, true) ?? [];
    const keepsZeros = attributes.flag("allowzero", false);
    const sizes = wanted.map((size, axis) => (size === 0 && !keepsZeros ? (x.shape[axis] ?? 0) : size));
    const open = sizes.indexOf(-1);
    if (open >= 0) sizes[open] = sizeOf(x.shape) / sizeOf(sizes.filter((_, axis) => axis !== open));
    return [builder.reshaped(x, checkSizes(sizes, builder))];
  },
};

const flatten: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { length } = x.shape;
    const attribute = node.attributes.int("axis", 1);
    const axis = attribute === length ? length : axisOf(attribute, length);
    const shape = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))];
    return [node.builder.reshaped(x, shape)];
  },
};

const squeeze: Operator = {
  inputs: [1, 2],
  lower(node) {
    const x = required(node, 0);
    const { shape } = x;
    const axes = listOf(node, "axes", 1);
    const gone = axes
      ? axesOf(axes, shape.length)
      : shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
    const long = gone.find((axis) => shape[axis] !== 1);
    if (long !== undefined) throw new Unsupported(`expected an axis of size 1, got ${shape[long]}`);
    return [
      node.builder.reshaped(
        x,
        shape.filter((_, axis) => !gone.includes(axis)),
      ),
    ];
  },
};

const unsqueeze: Operator = {
  inputs: [1, 2],
  lower(node) {
    const x = required(node, 0);
    const added = listOf(node, "axes", 1) ?? [];
    const rank = x.shape.length + added.length;
    const axes = new Set(axesOf(added, rank));
    const rest = [...x.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!));
    return [node.builder.reshaped(x, shape)];
  },
};

const transpose: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { length } = x.shape;
    const perm = node.attributes.ints("perm") ?? x.shape.map((_, axis) => length - 1 - axis);
    const sorted = [...perm].sort((a, b) => a - b);
    if (perm.length !== length || !sorted.every((axis, i) => axis === i)) {
      throw new Unsupported(`perm: expected an order of ${length} axes, got [${listed(perm)}]`);
    }
    return [transposed(node, x, perm)];
  },
};

const shapeOf: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const { attributes } = node;
    const { length: from } = x.shape;
    // The sizes of a computed value begin with the number of images, unless its axes were permuted.
    const [ofShape, isShape] = isConstant(x) ? [x.ofShape, false] : [true, x.order[0] === 0];
    const sizes = { ...constantOf("int64", [from], Float64Array.from(x.shape), ofShape), isShape };
    const indices = fileOrder(from).slice(attributes.int("start", 0), attributes.int("end") ?? from);
    return [along(node, sizes, 0, { from, indices })];
  },
};

const constant: Operator = {
  inputs: [0, 0],
  lower({ attributes }) {
    const tensor = attributes.tensor("value");
    if (tensor) return [tensor];
    const floats = attributes.floats("value_floats");
    if (floats) return [constantOf("float32", [floats.length], Float32Array.from(floats))];
    const ints = attributes.ints("value_ints");
    if (ints) return [constantOf("int64", [ints.length], Float64Array.from(ints))];
    const int = attributes.int("value_int");
    if (int !== undefined) return [constantOf("int64", [], Float64Array.of(int))];
    if (attributes.has("value_float")) {
      return [constantOf("float32", [], Float32Array.of(attributes.anyFloat("value_float", 0)))];
    }
    throw new Unsupported("expected a value of numbers, got none");
  },
};

const identity: Operator = { inputs: [1, 1], lower: (node) => [required(node, 0)] };

/**
 * Dropout in inference, or in training with a ratio of 0, which drops nothing: the mask is all true. In opsets 6 to 11 the
 * ratio is an attribute, and there is no training mode.
 */
const dropout: Operator = {
  inputs: [1, 3],
  lower(node) {
    node.attributes.ignore("ratio", "seed", "is_test");
    const x = required(node, 0);
    const ratio = knownNumber(node, 1, "ratio", ["float32"]) ?? 0.5;
    if (knownNumber(node, 2, "training_mode", ["bool"]) && ratio !== 0) {
      throw new Unsupported(`expected inference, got training that drops a share of ${ratio}`);
    }
    const { shape } = x;
    return [x, filledWith(node.builder, "bool", shape, 1, true)];
  },
};

export function shapes(): OperatorTable {
  return {
    Constant: constant,
    Dropout: dropout,
    Flatten: flatten,
    Identity: identity,
    Reshape: reshape,
    Shape: shapeOf,
    Squeeze: squeeze,
    Transpose: transpose,
    Unsqueeze: unsqueeze,
  };
}
