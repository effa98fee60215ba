/** Comparisons, logical operators, and the choice of elements by a condition. */
import { Unsupported } from "../node.ts";
import { checkType, NUMBERS, required, type Node, type Operator, type OperatorTable } from "../operator.ts";
import { sizeOf } from "../../../tensor.ts";
import { computedOf } from "../constants.ts";
import * as layers from "../../../layers/index.ts";
import type { ElementType } from "../../file/constant.ts";
import { isComputed, isConstant, type Value } from "../values.ts";
import { bigger, operandsOf } from "./arithmetic/common.ts";
import { followsImages, IMAGES } from "../images.ts";
import { broadcastShape, eachOnHost, padShape, type Holds } from "./broadcasting.ts";

const BOOLS: readonly ElementType[] = ["bool"];

/** @throws Unsupported unless all are of one type, or of `type` */
function sameTypes(values: readonly Value[], type: ElementType = values[0]!.type): void {
  const other = values.find((value) => value.type !== type);
  if (other) throw new Unsupported(`expected values of ${type}, got ${other.type}`);
}

/** True when a is a multiple of the number of images, which is at least 1, and b a constant below 1. */
const isAbove = (a: number, b: number): boolean =>
  a < 0 && followsImages(a) && a % IMAGES === 0 && b < 1 && !followsImages(b);

const differs: Holds = (_, a, b) => a === b || isAbove(a!, b!) || isAbove(b!, a!);

function compare(
  holds: (a: number, b: number) => boolean,
  types = NUMBERS,
  exact: Holds | undefined = undefined,
): Operator {
  return {
    inputs: [2, 2],
    lower(node) {
      const operands = operandsOf(node);
      checkType("operands", operands[0], types);
      sameTypes(operands);
      return [eachOnHost(node, operands, "bool", (a, b) => Number(holds(a!, b!)), exact)];
    },
  };
}

function test(type: ElementType, holdsFor: (node: Node) => (x: number) => boolean): Operator {
  return {
    inputs: [1, 1],
    lower(node) {
      const x = required(node, 0);
      sameTypes([x], type);
      const holds = holdsFor(node);
      return [eachOnHost(node, [x], "bool", (value) => Number(holds(value!)))];
    },
  };
}

function isInfinite({ attributes }: Node): (x: number) => boolean {
  const counts = (name: string): boolean => attributes.flag(name, true);
  const [above, below] = [counts("detect_positive"), counts("detect_negative")];
  return (x) => (above && x === Infinity) || (below && x === -Infinity);
}

const where: Operator = {
  inputs: [3, 3],
  lower(node) {
    const [condition, x, y] = [required(node, 0), required(node, 1), required(node, 2)];
    sameTypes([condition], "bool");
    sameTypes([x, y]);
    const values = [condition, x, y];
    const shape = values.map((value) => value.shape).reduce(broadcastShape);
    if (values.every(isConstant) || sizeOf(shape) === 0) {
      return [
        eachOnHost(
          node,
          values,
          x.type,
          (holds, a, b) => (holds ? a! : b!),
          () => true,
        ),
      ];
    }
    const { builder } = node;
    const padded = values.map((value) => builder.reshaped(value, padShape(value.shape, shape.length)));
    const { order } = padded.filter(isComputed).reduce(bigger);
    const operands = padded.map((value) => builder.ordered(computedOf(builder, value, order), order));
    return [builder.apply(layers.where(), operands, { type: x.type, shape }, order)];
  },
};

export function logic(): OperatorTable {
  return {
    And: compare((a, b) => a !== 0 && b !== 0, BOOLS),
    Equal: compare((a, b) => a === b, [...NUMBERS, ...BOOLS], differs),
    Greater: compare((a, b) => a > b),
    GreaterOrEqual: compare((a, b) => a >= b),
    IsInf: test("float32", isInfinite),
    IsNaN: test("float32", () => Number.isNaN),
    Less: compare((a, b) => a < b),
    LessOrEqual: compare((a, b) => a <= b),
    Not: test("bool", () => (x) => x === 0),
    Or: compare((a, b) => a !== 0 || b !== 0, BOOLS),
    Where: where,
    Xor: compare((a, b) => a !== b, BOOLS),
  };
}
