/** Operators that reorder the elements of a tensor in blocks. */
import { shapeText } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import { required, type Node, type Operator, type OperatorTable } from "../operator.ts";
import type { Value } from "../values.ts";
import { transposed } from "./transpose.ts";

/** An image `[n, c, h, w]` and the size of its blocks. */
function blocks(node: Node): { x: Value; sizes: [n: number, c: number, h: number, w: number]; b: number } {
  const x = required(node, 0);
  const b = node.attributes.requiredInt("blocksize");
  if (x.shape.length !== 4 || b < 1) {
    throw new Unsupported(`expected [n, c, h, w] and a blocksize, got ${shapeText(x.shape)} and ${b}`);
  }
  return { x, sizes: x.shape as [number, number, number, number], b };
}

/** Splits axes, permutes them and joins some; only the order of the elements changes. */
function moved(node: Node, x: Value, split: number[], perm: number[], joined: number[]): Value[] {
  const { builder } = node;
  if (!split.every(Number.isInteger)) {
    throw new Unsupported(`expected sizes that blocks divide, got ${shapeText(x.shape)}`);
  }
  return [builder.reshaped(transposed(node, builder.reshaped(x, split), perm), joined)];
}

/** Turns each pixel into a block of b × b. Its channels are ordered by block, then depth (DCR), or by depth, then block. */
const depthToSpace: Operator = {
  inputs: [1, 1],
  lower(node) {
    const { x, sizes, b } = blocks(node);
    const [n, c, h, w] = sizes;
    const depth = c / (b * b);
    const joined = [n, depth, h * b, w * b];
    return node.attributes.choice("mode", ["DCR", "CRD"]) === "DCR"
      ? moved(node, x, [n, b, b, depth, h, w], [0, 3, 4, 1, 5, 2], joined)
      : moved(node, x, [n, depth, b, b, h, w], [0, 1, 4, 2, 5, 3], joined);
  },
};

const spaceToDepth: Operator = {
  inputs: [1, 1],
  lower(node) {
    const { x, sizes, b } = blocks(node);
    const [n, c, h, w] = sizes;
    const [rows, columns] = [h / b, w / b];
    return moved(node, x, [n, c, rows, b, columns, b], [0, 3, 5, 1, 2, 4], [n, c * b * b, rows, columns]);
  },
};

export function rearranging(): OperatorTable {
  return {
    DepthToSpace: depthToSpace,
    SpaceToDepth: spaceToDepth,
  };
}
