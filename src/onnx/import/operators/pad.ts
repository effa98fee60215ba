import * as layers from "../../../layers/index.ts";
import { listed } from "../../../options.ts";
import { Unsupported } from "../node.ts";
import {
  axesOf,
  known,
  knownNumber,
  listOf,
  INDEX_TYPES,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import { channelsLast } from "../order.ts";
import { isConstant, type Value } from "../values.ts";
import { along, perElement, range } from "./axisTable.ts";

/** By mode: the index of the element, of `size`, at a position `i` that may be outside; -1 for the constant. */
const SOURCES = {
  constant: (i: number, size: number) => (i >= 0 && i < size ? i : -1),
  edge: (i: number, size: number) => Math.min(size - 1, Math.max(0, i)),
  wrap: (i: number, size: number) => ((i % size) + size) % size,
  reflect(i: number, size: number) {
    const period = Math.max(1, 2 * (size - 1));
    const at = ((i % period) + period) % period;
    return Math.min(at, period - at);
  },
};

type Pair = readonly [before: number, after: number];

/** By axis: the numbers of elements that are added before and after; negative ones are cut off. */
type Pads = ReadonlyMap<number, Pair>;

/** Reads the pads, which are an attribute in opsets 6 to 10. Opset 18 introduced the input `axes`. */
function padsOf(node: Node, rank: number): Pads {
  const pads = listOf(node, "pads", 1) ?? [];
  const axes = axesOf(known(node, 3, "axes", INDEX_TYPES) ?? range(rank, (axis) => axis), rank);
  if (pads.length !== 2 * axes.length) {
    throw new Unsupported(`pads: expected ${2 * axes.length} integers, got [${listed(pads)}]`);
  }
  return new Map(axes.map((axis, i) => [axis, [pads[i]!, pads[axes.length + i]!]]));
}

/** Zeros around images by the padding layer; undefined for other pads. */
function aroundImages({ builder }: Node, x: Value, pads: Pads): Value | undefined {
  const { type, shape } = x;
  const inPlane = [...pads].every(([axis, [before, after]]) =>
    axis < 2 ? before === 0 && after === 0 : before >= 0 && after >= 0,
  );
  if (isConstant(x) || shape.length !== 4 || type !== "float32" || shape.includes(0) || !inPlane)
    return undefined;
  const [rows, columns] = [2, 3].map((axis) => pads.get(axis) ?? ([0, 0] as const)) as [Pair, Pair];
  const order = channelsLast(4);
  const [n, c, h, w] = shape as [number, number, number, number];
  const made = { type, shape: [n, c, h + rows[0] + rows[1], w + columns[0] + columns[1]] };
  const layer = layers.zeroPadding2d({ padding: [rows, columns] });
  return builder.applyToImages(layer, [builder.ordered(x, order)], made, order);
}

const pad: Operator = {
  inputs: [1, 4],
  lower(node) {
    const x = required(node, 0);
    const pads = padsOf(node, x.shape.length);
    const mode = node.attributes.choice("mode", ["constant", "reflect", "edge", "wrap"]);
    const fill = knownNumber(node, 2, "constant_value", [x.type]) ?? node.attributes.anyFloat("value", 0);
    const padded = mode === "constant" && fill === 0 && aroundImages(node, x, pads);
    if (padded) return [padded];
    let y = x;
    for (const [axis, [before, after]] of pads) {
      if (before === 0 && after === 0) continue;
      const from = x.shape[axis]!;
      // Elements that are cut off at one end are not copied to the other.
      const cut = Math.max(0, -before);
      const left = from - cut - Math.max(0, -after);
      const length = from + before + after;
      if (left < 0 || (left === 0 && length > 0 && mode !== "constant")) {
        throw new Unsupported(`pads: expected pads that fit ${from} elements, got ${before} and ${after}`);
      }
      const indices = perElement(node, length, (i) => {
        const source = SOURCES[mode](i - Math.max(0, before), left);
        return source < 0 ? source : source + cut;
      });
      y = along(node, y, axis, { from, indices, fill });
    }
    return [y];
  },
};

export function padding(): OperatorTable {
  return { Pad: pad };
}
