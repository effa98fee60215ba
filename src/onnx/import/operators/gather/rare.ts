import { shapeText, sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import { Unsupported } from "../../node.ts";
import {
  axisOf,
  checkType,
  onHost,
  INDEX_TYPES,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { isConstant } from "../../values.ts";
import { indexIn } from "./common.ts";
import { walk } from "../transpose.ts";

/** `y[i, j, …] = x[indices[i, j, …], j, …]`, for indices along the first axis; other axes likewise. */
const gatherElements: Operator = {
  inputs: [2, 2],
  lower(node) {
    const { name, attributes } = node;
    const [x, indices] = [required(node, 0), required(node, 1)];
    checkType("indices", indices, INDEX_TYPES);
    const { type, shape } = x;
    const axis = axisOf(attributes.int("axis", 0), shape.length);
    const { shape: sizes } = indices;
    if (sizes.length !== shape.length || sizes.some((size, i) => i !== axis && size > shape[i]!)) {
      throw new Unsupported(
        `expected indices within ${shapeText(shape)} but for axis ${axis}, got ${shapeText(sizes)}`,
      );
    }
    const steps = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
    const step = steps[axis]!;
    const others = steps.map((each, i) => (i === axis ? 0 : each));
    const planOf = (n: number): HostPlan => {
      const made = [n, ...sizes.slice(1)];
      return {
        outputs: [{ type, shape: made }],
        run([data, at], [y]) {
          let to = 0;
          for (const from of walk(made, others)) {
            y![to] = data![from + indexIn(shape[axis]!, at![to]!, name) * step]!;
            to++;
          }
        },
      };
    };
    const byImage = axis > 0 && !isConstant(x) && !isConstant(indices);
    return onHost(node, planOf(sizes[0]!), byImage ? planOf(1) : undefined);
  },
};

export function rareGathers(): OperatorTable {
  return { GatherElements: gatherElements };
}
