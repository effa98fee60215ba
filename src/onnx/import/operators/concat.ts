import * as layers from "../../../layers/index.ts";
import { listed } from "../../../options.ts";
import { shapeText, sizeOf } from "../../../tensor.ts";
import type { HostPlan } from "../layers/host.ts";
import { computedOf } from "../constants.ts";
import { Unsupported } from "../node.ts";
import { axisOf, onHost, required, type Operator, type OperatorTable } from "../operator.ts";
import { fileOrder } from "../order.ts";
import type { TensorType } from "../../file/constant.ts";
import { isComputed, isConstant, type Value } from "../values.ts";

/** The plan that joins values along an axis. */
function concatPlan(values: readonly Value[], axis: number, made: TensorType): HostPlan {
  const widths = values.map(({ shape }) => sizeOf(shape.slice(axis)));
  const row = sizeOf(made.shape.slice(axis));
  return {
    outputs: [made],
    moves: true,
    run(xs, [y]) {
      let start = 0;
      widths.forEach((width, i) => {
        const x = xs[i]!;
        for (let from = 0, to = start; from < x.length; from += width, to += row) {
          y!.set(x.subarray(from, from + width), to);
        }
        start += width;
      });
    },
  };
}

const concat: Operator = {
  inputs: [1, Infinity],
  resizable: true,
  lower(node) {
    const { builder, inputs, attributes } = node;
    const all = inputs.map((_, i) => required(node, i));
    const { type, shape } = all[0]!;
    const axis = axisOf(attributes.requiredInt("axis"), shape.length);
    const fits = (value: Value): boolean =>
      value.type === type &&
      value.shape.length === shape.length &&
      value.shape.every((size, i) => i === axis || size === shape[i]);
    if (!all.every(fits)) {
      const types = all.map((value) => `${value.type} ${shapeText(value.shape)}`);
      throw new Unsupported(`expected values that differ in axis ${axis} alone, got ${listed(types)}`);
    }
    const made = {
      type,
      shape: shape.map((size, i) =>
        i === axis ? all.reduce((sum, value) => sum + value.shape[axis]!, 0) : size,
      ),
    };
    if (all.every(isConstant)) return onHost(node, concatPlan(all, axis, made));
    // Empty values are left out, because in memory each would have one element.
    const long = all.filter((value) => sizeOf(value.shape) !== 0);
    if (long.length < 2) return [long[0] ?? builder.reshaped(all[0]!, made.shape)];
    const order =
      long.filter(isComputed).find((value) => value.order.some((at, i) => at !== i))?.order ??
      fileOrder(shape.length);
    const parts = long.map((value) => builder.ordered(computedOf(builder, value), order));
    const layer = layers.concatenate({ axis: builder.axis(parts[0]!, axis) + 1 });
    return [builder.apply(layer, parts, made, order)];
  },
};

export function concatenation(): OperatorTable {
  return { Concat: concat };
}
