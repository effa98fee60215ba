import * as layers from "../../../layers/index.ts";
import type { Layer } from "../../../layers/contract.ts";
import { sizeOf } from "../../../tensor.ts";
import { logSoftmax } from "../../../layers/logSoftmax.ts";
import { computedOf } from "../constants.ts";
import { Unsupported } from "../node.ts";
import { axisOf, required, type Node, type Operator, type OperatorTable } from "../operator.ts";
import type { Computed } from "../values.ts";

/** Applies a layer, which works over the last axis in memory, along an axis of a value. */
function along({ builder }: Node, x: Computed, axis: number, layer: Layer): Computed {
  builder.axis(x, axis);
  const order = [...x.order.filter((other) => other !== axis), axis];
  const { type, shape } = x;
  return builder.apply(layer, [builder.ordered(x, order)], { type, shape }, order);
}

/** Makes an operator along an axis. Up to opset 12 it works over all axes from `axis` on, later over `axis` alone. */
function overAxis(layer: () => Layer): Operator {
  return {
    inputs: [1, 1],
    lower(node) {
      const { attributes, builder } = node;
      const x = computedOf(builder, required(node, 0));
      const { type, shape } = x;
      if (type !== "float32") throw new Unsupported(`expected float32, got ${type}`);
      const joins = attributes.version < 13;
      const axis = axisOf(attributes.int("axis", joins ? 1 : -1), shape.length);
      if (!joins) return [along(node, x, axis, layer())];
      const flat = builder.reshaped(x, [...shape.slice(0, axis), sizeOf(shape.slice(axis))]) as Computed;
      return [builder.reshaped(along(node, flat, axis, layer()), shape)];
    },
  };
}

export function softmaxes(): OperatorTable {
  return {
    LogSoftmax: overAxis(logSoftmax),
    Softmax: overAxis(() => layers.activation({ activation: "softmax" })),
  };
}
