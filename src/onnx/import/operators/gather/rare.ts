import { shapeText, sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import { Unsupported } from "../../node.ts";
import {
  axisOf,
  checkType,
  onHost,
  PLACES,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { isConstant } from "../../values.ts";
import { placeIn } from "./common.ts";
import { walk } from "../transpose.ts";

/** `y[i, j, …] = x[places[i, j, …], j, …]`, the place being one along the axis. */
const gatherElements: Operator = {
  inputs: [2, 2],
  lower(node) {
    const { name, attributes } = node;
    const [x, places] = [required(node, 0), required(node, 1)];
    checkType("places", places, PLACES);
    const { type, shape } = x;
    const axis = axisOf(attributes.int("axis", 0), shape.length);
    const { shape: sizes } = places;
    if (sizes.length !== shape.length || sizes.some((size, i) => i !== axis && size > shape[i]!)) {
      throw new Unsupported(
        `expected places within ${shapeText(shape)} but for axis ${axis}, got ${shapeText(sizes)}`,
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
            y![to] = data![from + placeIn(shape[axis]!, at![to]!, name) * step]!;
            to++;
          }
        },
      };
    };
    const byImage = axis > 0 && !isConstant(x) && !isConstant(places);
    return onHost(node, planOf(sizes[0]!), byImage ? planOf(1) : undefined);
  },
};

export const GATHERED: OperatorTable = { GatherElements: gatherElements };
