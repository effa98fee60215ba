/** Operators that repeat a tensor's numbers. */
import { listed } from "../../../../options.ts";
import { Unsupported } from "../../node.ts";
import {
  checkSizes,
  constantInput,
  known,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { isConstant, type Value } from "../../values.ts";
import { along, range } from "../along.ts";
import { broadcastShape } from "../broadcasting.ts";

/** The result, which follows from the shape of an input where the list does by which it is made. */
function repeated(node: Node, y: Value): Value[] {
  const { ofShape } = constantInput(node, 1, "sizes");
  return [ofShape && isConstant(y) ? { ...y, ofShape } : y];
}

const expand: Operator = {
  inputs: [2, 2],
  lower(node) {
    const x = required(node, 0);
    const shape = broadcastShape(x.shape, checkSizes(known(node, 1, "shape")!));
    const missing = shape.length - x.shape.length;
    let y = node.builder.reshaped(x, [...range(missing, () => 1), ...x.shape]);
    shape.forEach((size, axis) => {
      const from = y.shape[axis]!;
      if (from !== size) y = along(node, y, axis, { from, places: range(size, () => 0) });
    });
    return repeated(node, y);
  },
};

const tile: Operator = {
  inputs: [2, 2],
  lower(node) {
    const x = required(node, 0);
    const repeats = checkSizes(known(node, 1, "repeats")!);
    if (repeats.length !== x.shape.length) {
      throw new Unsupported(`repeats: expected ${x.shape.length} integers, got [${listed(repeats)}]`);
    }
    let y = x;
    repeats.forEach((times, axis) => {
      const from = x.shape[axis]!;
      y = along(node, y, axis, { from, places: range(from * times, (i) => i % from) });
    });
    return repeated(node, y);
  },
};

export const REPEATED: OperatorTable = { Expand: expand, Tile: tile };
