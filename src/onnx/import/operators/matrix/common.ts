/** Products with constant matrices, which are dense layers. */
import * as layers from "../../../../layers/index.ts";
import { shapeText, sizeOf } from "../../../../tensor.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import { required, type Node, type OperatorTable } from "../../operator.ts";
import type { Constant } from "../../../file/constant.ts";
import { isComputed, isConstant, type Computed, type Value } from "../../values.ts";
import { reorder } from "../../../file/reorder.ts";
import { withWeights, type WeightSource } from "../../weights.ts";
import { combine } from "../arithmetic/common.ts";
import { checkBroadcasts, perChannel, scalar } from "../broadcasting.ts";

/** A dense layer: the product of the last axis with a constant matrix `[k, units]`, which learns. */
export function dense(
  node: Node,
  x: Computed,
  units: number,
  kernel: WeightSource,
  bias?: WeightSource,
): Computed {
  const { builder } = node;
  const last = x.shape.length - 1;
  builder.axis(x, last);
  const order = [...x.order.filter((axis) => axis !== last), last];
  const shape = [...x.shape.slice(0, -1), units];
  const layer = layers.dense({ units, useBias: bias !== undefined });
  const loaded = withWeights(builder, layer, { kernel, ...(bias && { bias }) });
  const y = builder.apply(loaded, [builder.ordered(x, order)], { type: "float32", shape }, order);
  if (bias) return y;
  builder.origins.set(y, {
    withBias(later) {
      const own = perChannel(later, shape, last);
      return own && dense(node, x, units, kernel, { constant: own, learns: own.weight ?? false });
    },
  });
  return y;
}

type Product = (node: Node, left: Value, right: Value) => Value;

/** A matrix, transposed if asked for. */
function matrixOf(value: Value, transposes: boolean): Value {
  if (value.shape.length !== 2) throw new Unsupported(`expected a matrix, got ${shapeText(value.shape)}`);
  if (!transposes) return value;
  const [rows, columns] = value.shape as [number, number];
  const shape = [columns, rows];
  if (!isConstant(value)) return { ...value, shape, order: value.order.map((axis) => 1 - axis) };
  const { type, ofShape = false } = value;
  return { type, shape, data: () => reorder(value.data(), value.shape, [1, 0]), ofShape };
}

/** True when a dense layer computes the product: of a computed float32 value and a constant matrix. */
function isDense(left: Value, right: Value): left is Computed {
  return (
    isComputed(left) &&
    isConstant(right) &&
    right.shape.length === 2 &&
    left.shape.at(-1) === right.shape[0] &&
    left.type === "float32" &&
    right.type === "float32" &&
    sizeOf(left.shape) * sizeOf(right.shape) !== 0
  );
}

/** The product with a constant matrix. @throws OtherForm for any other */
function multiplyDense(node: Node, left: Value, right: Value): Value {
  if (isDense(left, right)) return dense(node, left, right.shape[1]!, { constant: right as Constant });
  throw new OtherForm();
}

/** `alpha·op(A)·op(B) + beta·C`. For a constant B it is a dense layer, with C as its bias if it is a constant row. */
function gemm(node: Node, multiply: Product): readonly Value[] {
  const { attributes } = node;
  attributes.ignore("broadcast");
  const [alpha, beta] = [attributes.float("alpha", 1), attributes.float("beta", 1)];
  const [transA, transB] = [attributes.flag("transA", false), attributes.flag("transB", false)];
  const [a, b, c] = [matrixOf(required(node, 0), transA), required(node, 1), node.inputs[2]];
  const scaled = (value: Value, scale: number): Value =>
    scale === 1 ? value : combine(node, "mul", value, scalar(scale));
  const plus = (y: Value): Value => (c && beta !== 0 ? combine(node, "add", y, scaled(c, beta)) : y);
  const right = matrixOf(b, transB);
  if (c) checkBroadcasts("C", c, [a.shape[0]!, right.shape[1]!]);
  if (!isDense(a, right) || alpha === 0) return [plus(scaled(multiply(node, a, right), alpha))];
  const [m, n] = [a.shape[0]!, right.shape[1]!];
  const kernel = { constant: b as Constant, scale: alpha, ...(transB && { order: [1, 0] }) };
  const bias = c && isConstant(c) && beta !== 0 ? perChannel(c, [m, n], 1) : undefined;
  const y = dense(node, a, n, kernel, bias && { constant: bias, scale: beta });
  return [bias ? y : plus(y)];
}

/** The operators, with `multiply` for the product of two values. */
export function matrices(multiply: Product): OperatorTable {
  return {
    Gemm: { inputs: [2, 3], lower: (node) => gemm(node, multiply) },
    MatMul: {
      inputs: [2, 2],
      lower: (node) => [multiply(node, required(node, 0), required(node, 1))],
    },
  };
}

export function commonProducts(): OperatorTable {
  return matrices(multiplyDense);
}
