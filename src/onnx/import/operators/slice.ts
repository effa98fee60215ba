/** Operators that take parts of a tensor. */
import { listed } from "../../../options.ts";
import { Unsupported } from "../node.ts";
import {
  axesOf,
  axisOf,
  checkSizes,
  listOf,
  PLACES,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import { BatchDependent } from "../builder.ts";
import { followsImages, IMAGES } from "../images.ts";
import { isConstant } from "../values.ts";
import { along, perElement, range } from "./along.ts";

/**
 * The elements of an axis that bounds and a step take, as NumPy's slices do, but for a start in front of the axis: where
 * steps go backwards, ONNX moves it to the first element.
 */
function taken(node: Node, size: number, start: number, end: number, step: number): number[] {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (at: number, least: number): number =>
    Math.min(high, Math.max(least, at < 0 ? at + size : at));
  const [first, last] = [bound(start, 0), bound(end, low)];
  return perElement(node, Math.max(0, Math.ceil((last - first) / step)), (i) => first + i * step);
}

/** The bound of a slice that is beyond any axis. */
const FAR = 2 ** 31 - 1;

/** One end of a slice by axis, and whether it follows from a shape. */
function boundsOf(node: Node, name: string, index: number): { at: number[] | undefined; ofShape: boolean } {
  const at = listOf(node, name, index, PLACES, true);
  const input = node.inputs[index];
  return { at, ofShape: input !== undefined && isConstant(input) && input.ofShape === true };
}

/**
 * Whether bounds take the whole of the axis of the images, where their number is not known.
 * @throws BatchDependent when they take some of the images, or so much of another axis as there are images
 */
function takesAll(size: number, start: number, end: number, step: number, ofShape: boolean): boolean {
  if (size !== IMAGES) {
    if (!ofShape || !(followsImages(start) || followsImages(end))) return false;
    throw new BatchDependent("it takes as much as there are images");
  }
  const fromFirst = start === 0 || start <= -FAR;
  if (step === 1 && fromFirst && (end >= FAR || (ofShape && end === IMAGES))) return true;
  throw new BatchDependent("it takes some of the images");
}

/** In opsets 6 to 9 the bounds are attributes, and there are no steps. */
const slice: Operator = {
  inputs: [1, 5],
  lower(node) {
    const x = required(node, 0);
    const rank = x.shape.length;
    const [first, last] = [boundsOf(node, "starts", 1), boundsOf(node, "ends", 2)];
    const [starts, ends] = [first.at, last.at];
    const ofShape = node.builder.isSymbolic && (first.ofShape || last.ofShape);
    const axes = listOf(node, "axes", 3, PLACES) ?? starts?.map((_, i) => i);
    const steps = listOf(node, "steps", 4, PLACES) ?? starts?.map(() => 1);
    if (!starts || [ends, axes, steps].some((list) => list?.length !== starts.length) || steps?.includes(0)) {
      throw new Unsupported("expected as many starts, ends, axes and steps, none of which is 0");
    }
    let y = x;
    axesOf(axes!, rank).forEach((axis, i) => {
      const size = y.shape[axis]!;
      if (takesAll(size, starts[i]!, ends![i]!, steps![i]!, ofShape)) return;
      y = along(node, y, axis, { from: size, places: taken(node, size, starts[i]!, ends![i]!, steps![i]!) });
    });
    return [y];
  },
};

/** Sizes of the parts: given, or equal; from opset 18 on the last one may be smaller. @throws Unsupported */
function partsOf(node: Node, size: number): readonly number[] {
  const { outputs, attributes } = node;
  const [given, asked] = [listOf(node, "split", 1), attributes.int("num_outputs")];
  const told = given !== undefined || asked !== undefined;
  if (attributes.version >= 18 && (!told || (given && asked !== undefined))) {
    throw new Unsupported(`expected either split or num_outputs, got ${told ? "both" : "none"}`);
  }
  const count = given?.length ?? asked ?? outputs;
  if (count !== outputs) throw new Unsupported(`expected ${outputs} parts, got ${count}`);
  if (given) return checkSizes(given);
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
      return along(node, x, axis, { from, places: perElement(node, part, (i) => first + i) });
    });
  },
};

export const SLICES: OperatorTable = { Slice: slice, Split: split };
