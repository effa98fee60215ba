/** Operators whose results follow from shapes and other constants. */
import { sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import {
  constantOf,
  knownNumber,
  onHost,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import type { Numbers } from "../../../file/constant.ts";
import { range } from "../axisTable.ts";

const sizeOperator: Operator = {
  inputs: [1, 1],
  lower: (node) => [constantOf("int64", [], Float64Array.of(sizeOf(required(node, 0).shape)), true)],
};

const rangeOperator: Operator = {
  inputs: [3, 3],
  lower(node) {
    const { type } = required(node, 0);
    const [start, limit, delta] = range(3, (i) => knownNumber(node, i, "bounds", [type])!) as [
      number,
      number,
      number,
    ];
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (!Number.isFinite(count)) {
      throw new Unsupported(`expected a step towards the limit, got ${start}, ${limit} and ${delta}`);
    }
    const outputs = [{ type, shape: [count] }];
    const run = (_: unknown, [y]: readonly Numbers[]): void => {
      for (let i = 0; i < count; i++) y![i] = start + i * delta;
    };
    return onHost(node, { outputs, run });
  },
};

export function rareGenerators(): OperatorTable {
  return { Range: rangeOperator, Size: sizeOperator };
}
