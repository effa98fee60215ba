/** Operators that repeat a tensor's numbers. */
import { listed } from "../../../options.ts";
import { Unsupported } from "../node.ts";
import {
  checkSizes,
  constantInput,
  known,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import { BatchDependent } from "../builder.ts";
import { weightOf } from "../constants.ts";
import { isConstant, type Value } from "../values.ts";
import { along, perElement, range } from "./axisTable.ts";
import { broadcastShape, padShape } from "./broadcasting.ts";

/**
 * Repeats `x` along its axes as often as `times` says. If the numbers follow from the shape of an input, so does the result,
 * and each image has its own copy.
 */
function repeated(node: Node, x: Value, times: readonly number[]): Value {
  const { ofShape } = constantInput(node, 1, "sizes");
  if (times.length === 0) return x;
  const repeat = (value: Value, axis: number): Value => {
    const from = value.shape[axis]!;
    if (times[axis] === 1) return value;
    return along(node, value, axis, {
      from,
      indices: perElement(node, from * times[axis]!, (i) => i % from),
    });
  };
  const each = range(times.length - 1, (i) => i + 1).reduce(repeat, x);
  const alike = isConstant(each) && !each.ofShape && each.shape[0] === 1;
  if (times[0]! < 0) {
    const { builder } = node;
    if (!alike) throw new BatchDependent("it repeats a value that differs from image to image");
    const shape = [times[0]!, ...each.shape.slice(1)];
    return { type: each.type, shape, data: () => builder.refuseImages(), ofShape: true, each };
  }
  const y = repeat(each, 0);
  if (!isConstant(y) || !ofShape) return y;
  return { ...y, ofShape, ...(alike && { each }) };
}

const expand: Operator = {
  inputs: [2, 2],
  lower(node) {
    const x = required(node, 0);
    const { builder } = node;
    const sizes = checkSizes(known(node, 1, "shape", undefined, true)!, builder);
    const shape = broadcastShape(x.shape, sizes);
    const padded = builder.reshaped(x, padShape(x.shape, shape.length));
    // A constant that is repeated for each image is a value of images; if it is a weight, it learns.
    const ofImages = constantInput(node, 1, "shape").ofShape && shape[0] === builder.batch;
    const y = (ofImages && isConstant(padded) && weightOf(builder, padded)) || padded;
    const times = shape.map((size, axis) => (y.shape[axis] === size ? 1 : size));
    return [repeated(node, y, times)];
  },
};

const tile: Operator = {
  inputs: [2, 2],
  lower(node) {
    const x = required(node, 0);
    const repeats = checkSizes(known(node, 1, "repeats", undefined, true)!, node.builder);
    if (repeats.length !== x.shape.length) {
      throw new Unsupported(`repeats: expected ${x.shape.length} integers, got [${listed(repeats)}]`);
    }
    return [repeated(node, x, repeats)];
  },
};

export function repeating(): OperatorTable {
  return { Expand: expand, Tile: tile };
}
