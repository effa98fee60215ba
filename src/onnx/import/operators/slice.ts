/** Operators that take parts of a tensor. */
import { listed } from "../../../options.ts";
import { Unsupported } from "../node.ts";
import {
  axesOf,
  axisOf,
  checkSizes,
  listOf,
  INDEX_TYPES,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import { BatchDependent } from "../builder.ts";
import { followsImages, IMAGES } from "../images.ts";
import { isConstant } from "../values.ts";
import { along, perElement, range } from "./axisTable.ts";

/**
 * The indices of a slice, as in NumPy, except for a start before the first element: with a negative step, ONNX moves it to
 * the first element.
 */
function taken(node: Node, size: number, start: number, end: number, step: number): number[] {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (at: number, least: number): number =>
    Math.min(high, Math.max(least, at < 0 ? at + size : at));
  const [first, last] = [bound(start, 0), bound(end, low)];
  return perElement(node, Math.max(0, Math.ceil((last - first) / step)), (i) => first + i * step);
}

/** A bound of a slice that is beyond the end of any axis. */
const FAR = 2 ** 31 - 1;

/** The starts or the ends of a slice, by axis; `ofShape` is true when they follow from a shape. */
function boundsOf(node: Node, name: string, index: number): { at: number[] | undefined; ofShape: boolean } {
  const at = listOf(node, name, index, INDEX_TYPES, true);
  const input = node.inputs[index];
  return { at, ofShape: input !== undefined && isConstant(input) && input.ofShape === true };
}

/**
 * True when bounds take the whole axis of the images, whose size is not known yet.
 * @throws BatchDependent when they take some of the images, or a part of another axis that depends on their number
 */
function takesAll(size: number, start: number, end: number, step: number, ofShape: boolean): boolean {
  if (size !== IMAGES) {
    if (!ofShape || !(followsImages(start) || followsImages(end))) return false;
    throw new BatchDependent("the size of its slice depends on the number of images");
  }
  const fromFirst = start === 0 || start <= -FAR;
  if (step === 1 && fromFirst && (end >= FAR || (ofShape && end === IMAGES))) return true;
  throw new BatchDependent("it takes some of the images");
}

/** A slice; in opsets 6 to 9 its bounds are attributes, and it has no steps. */
const slice: Operator = {
  inputs: [1, 5],
  lower(node) {
    const x = required(node, 0);
    const rank = x.shape.length;
    const [first, last] = [boundsOf(node, "starts", 1), boundsOf(node, "ends", 2)];
    const [starts, ends] = [first.at, last.at];
    const ofShape = node.builder.isSymbolic && (first.ofShape || last.ofShape);
    const axes = listOf(node, "axes", 3, INDEX_TYPES) ?? starts?.map((_, i) => i);
    const steps = listOf(node, "steps", 4, INDEX_TYPES) ?? starts?.map(() => 1);
    if (!starts || [ends, axes, steps].some((list) => list?.length !== starts.length) || steps?.includes(0)) {
      throw new Unsupported("expected as many starts, ends, axes and steps, none of which is 0");
    }
    let y = x;
    axesOf(axes!, rank).forEach((axis, i) => {
      const size = y.shape[axis]!;
      if (takesAll(size, starts[i]!, ends![i]!, steps![i]!, ofShape)) return;
      y = along(node, y, axis, { from: size, indices: taken(node, size, starts[i]!, ends![i]!, steps![i]!) });
    });
    return [y];
  },
};

/** The sizes of the parts: those of `split`, or equal ones, of which from opset 18 on the last may be smaller. @throws Unsupported */
function partsOf(node: Node, size: number): readonly number[] {
  const { outputs, attributes } = node;
  const [sizes, parts] = [listOf(node, "split", 1), attributes.int("num_outputs")];
  const specified = sizes !== undefined || parts !== undefined;
  if (attributes.version >= 18 && (!specified || (sizes && parts !== undefined))) {
    throw new Unsupported(`expected either split or num_outputs, got ${specified ? "both" : "none"}`);
  }
  const count = sizes?.length ?? parts ?? outputs;
  if (count !== outputs) throw new Unsupported(`expected ${outputs} parts, got ${count}`);
  if (sizes) return checkSizes(sizes);
  const each = Math.ceil(size / count);
  const last = size - (count - 1) * each;
  if (last < 0 || (last === 0 && size > 0) || (attributes.version < 18 && last !== each)) {
    throw new Unsupported(`expected a size that makes ${count} parts, got ${size}`);
  }
  return range(count, (i) => (i < count - 1 ? each : last));
}

const split: Operator = {
  inputs: [1, 2],
  lower(node) {
    const x = required(node, 0);
    const axis = axisOf(node.attributes.int("axis", 0), x.shape.length);
    const from = x.shape[axis]!;
    const parts = partsOf(node, from);
    if (parts.reduce((sum, part) => sum + part, 0) !== from) {
      throw new Unsupported(`split: expected parts of ${from} elements, got ${listed(parts, " + ")}`);
    }
    let start = 0;
    return parts.map((part) => {
      const first = start;
      start += part;
      return along(node, x, axis, { from, indices: perElement(node, part, (i) => first + i) });
    });
  },
};

export function slicing(): OperatorTable {
  return { Slice: slice, Split: split };
}
