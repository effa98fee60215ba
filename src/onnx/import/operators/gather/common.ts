/** Operators that look elements up by their places. */
import { ShapeError } from "../../../../errors.ts";
import { sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import {
  axisOf,
  checkLength,
  checkType,
  onHost,
  PLACES,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import type { TensorType } from "../../../file/constant.ts";
import { isConstant } from "../../values.ts";
import { along } from "../along.ts";

/** A place counted from the front. @throws ShapeError unless there is such a place: these may be an input of the net */
export function placeIn(size: number, place: number, name: string): number {
  const own = place < 0 ? place + size : place;
  if (own >= 0 && own < size) return own;
  throw new ShapeError(`${name}: expected places among ${size} elements, got ${place}`);
}

/** Rows `[from, inner]` of each of `outer` tables, at places that are the same for all. */
function rowsPlan(name: string, outer: number, from: number, inner: number, output: TensorType): HostPlan {
  return {
    outputs: [output],
    moves: true,
    run([data, places], [y]) {
      let to = 0;
      for (let i = 0; i < outer; i++) {
        for (const place of places!) {
          const start = (i * from + placeIn(from, place, name)) * inner;
          for (let j = 0; j < inner; j++) y![to++] = data![start + j]!;
        }
      }
    },
  };
}

const gather: Operator = {
  inputs: [2, 2],
  lower(node) {
    const { builder, name, attributes } = node;
    const [x, places] = [required(node, 0), required(node, 1)];
    checkType("places", places, PLACES);
    const { type } = x;
    const axis = axisOf(attributes.int("axis", 0), x.shape.length);
    const from = x.shape[axis]!;
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const shape = [...before, ...places.shape, ...after];
    if (isConstant(places) && (!isConstant(x) || (x.isShape && !places.ofShape))) {
      checkLength(sizeOf(places.shape));
      builder.spend(2 * sizeOf(places.shape));
      const taken = Array.from(places.data(), (place) => placeIn(from, place, name));
      return [builder.reshaped(along(node, x, axis, { from, places: taken }), shape)];
    }
    const inner = sizeOf(after);
    const plan = rowsPlan(name, sizeOf(before), from, inner, { type, shape });
    // Each image looks rows of a table up by itself.
    const isTable = isConstant(x) && axis === 0 && places.shape.length > 0;
    return onHost(
      node,
      plan,
      isTable ? rowsPlan(name, 1, from, inner, { type, shape: [1, ...shape.slice(1)] }) : undefined,
    );
  },
};

export const GATHERED: OperatorTable = { Gather: gather };
