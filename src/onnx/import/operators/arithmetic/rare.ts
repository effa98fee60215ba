import { computedOf } from "../../constants.ts";
import { checkType, NUMBERS, type Node, type OperatorTable } from "../../operator.ts";
import { isConstant, type Value } from "../../values.ts";
import { broadcast, combine, combineAll, operandsOf } from "./common.ts";
import { eachOnHost, scalar } from "../broadcasting.ts";
import { cast } from "../cast.ts";

/** The power of an integer, by squaring; for a negative exponent, the fraction is rounded towards 0. */
function integerPower(base: number, exponent: number): number {
  if (exponent < 0) return Math.abs(base) === 1 ? integerPower(base, -exponent) : Math.trunc(1 / base);
  let power = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) power *= square;
  }
  return power;
}

/** A power, whose type is that of its base. */
function pow(node: Node): readonly Value[] {
  const [base, exponent] = operandsOf(node);
  for (const each of [base, exponent]) checkType("operands", each, NUMBERS);
  if (base.type !== "float32" && exponent.type !== "float32") {
    return [eachOnHost(node, [base, exponent], base.type, integerPower)];
  }
  const [x, y] = [cast(node, base, "float32"), cast(node, exponent, "float32")];
  const left = isConstant(x) && isConstant(y) ? computedOf(node.builder, x) : x;
  return [cast(node, broadcast(node, "pow", left, y), base.type)];
}

export function rareArithmetic(): OperatorTable {
  return {
    Mean: {
      inputs: [1, Infinity],
      lower: (node) => [combine(node, "div", combineAll(node, "add"), scalar(node.inputs.length))],
    },
    Pow: { inputs: [2, 2], lower: pow },
  };
}
