/** Products of matrices. */
import * as layers from "../../../layers/index.ts";
import { sizeOf, type Shape } from "../../../tensor.ts";
import { NotBatched } from "../builder.ts";
import { CONSTANT } from "../layers/constant.ts";
import type { HostPlan } from "../layers/host.ts";
import { matMulLayer } from "../layers/matMul.ts";
import { Unsupported } from "../node.ts";
import { onHost, required, type Node, type Operator } from "../operator.ts";
import { isComputed, isConstant, type Computed, type Constant, type Value } from "../values.ts";
import { reorder } from "../reorder.ts";
import { withWeights, type WeightSource } from "../weights.ts";
import { combine, seenConstant } from "./arithmetic.ts";
import { broadcastPlaces, broadcastShape, filled, padShape, perChannel, scalar } from "./broadcasting.ts";

/** The product of the last axis with a constant matrix `[k, units]`, which learns. */
function dense(node: Node, x: Computed, units: number, kernel: WeightSource, bias?: WeightSource): Computed {
  const { builder } = node;
  const last = x.shape.length - 1;
  builder.axis(x, last);
  const order = [...x.order.filter((axis) => axis !== last), last];
  const shape = [...x.shape.slice(0, -1), units];
  const layer = layers.dense({ units, useBias: bias !== undefined });
  const loaded = withWeights(builder, layer, { kernel, ...(bias && { bias }) });
  const y = builder.apply(loaded, [builder.ordered(x, order)], { type: "float32", shape }, order);
  if (bias) return y;
  builder.origins.set(y.symbol, {
    withBias(later) {
      const own = perChannel(later, shape, last);
      return own && dense(node, x, units, kernel, { constant: own });
    },
  });
  return y;
}

/** Two stacks of matrices as they meet: shapes of one rank, and that of the result. */
interface Product {
  readonly a: Shape;
  readonly b: Shape;
  readonly batch: Shape;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** @throws Unsupported unless the matrices can be multiplied */
function productOf(left: Shape, right: Shape): Product {
  // A vector is a row on the left, a column on the right.
  const [a, b] = [left.length === 1 ? [1, ...left] : left, right.length === 1 ? [...right, 1] : right];
  const [m, k] = a.slice(-2) as [number, number];
  const [rows, n] = b.slice(-2) as [number, number];
  if (left.length === 0 || right.length === 0 || rows !== k) {
    throw new Unsupported(
      `expected matrices [m, k] and [k, n], got ${left.join("×")} and ${right.join("×")}`,
    );
  }
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  const rank = batch.length + 2;
  return { a: padShape(a, rank), b: padShape(b, rank), batch, m, n, k };
}

/** Sums in float64, in ascending order of k. */
function hostPlan(type: Value["type"], { a, b, batch, m, n, k }: Product): HostPlan {
  return {
    outputs: [{ type, shape: [...batch, m, n] }],
    run([x, y], [z]) {
      const [left, right] = [broadcastPlaces(a.slice(0, -2), batch), broadcastPlaces(b.slice(0, -2), batch)];
      for (let p = 0; p < z!.length; p += m * n) {
        const [from, other] = [left.next().value! * m * k, right.next().value! * k * n];
        for (let at = 0; at < m * n; at++) {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = 0;
          for (let l = 0; l < k; l++) sum += x![from + i * k + l]! * y![other + l * n + j]!;
          z![p + at] = sum;
        }
      }
    },
  };
}

/** Products of which both sides are stacks, or the left side alone is known. */
function stacked(node: Node, left: Value, right: Value, product: Product): Value {
  const { builder } = node;
  const { batch, m, n, k } = product;
  const rank = batch.length + 2;
  const images = builder.batch === undefined ? 0 : 1;
  if (batch.length < images) throw new NotBatched("it joins the images of a batch");
  const values = [builder.reshaped(left, product.a), builder.reshaped(right, product.b)];
  const order = Array.from({ length: rank }, (_, axis) => axis);
  const operands = values.map((value) =>
    (isConstant(value) ? seenConstant(builder, value, order) : value.shape.slice(images)).slice(0, -2),
  ) as readonly Shape[] as [Shape, Shape];
  const known = values.findIndex(isConstant);
  const constant = known < 0 ? undefined : (known as 0 | 1);
  const shape = [...batch, m, n];
  const layer = matMulLayer({ batch: batch.slice(images), m, n, k, operands, constant }, builder.seen(shape));
  const loaded =
    constant === undefined
      ? layer
      : withWeights(builder, layer, { [CONSTANT]: { constant: values[constant] as Constant } });
  const computed = values.filter(isComputed).map((value) => builder.inFileOrder(value));
  return builder.apply(loaded, computed, { type: "float32", shape });
}

/** The product of two values as NumPy's `matmul` has it. */
function multiply(node: Node, left: Value, right: Value): Value {
  const { type } = left;
  if (type !== right.type)
    throw new Unsupported(`expected two values of one type, got ${type} and ${right.type}`);
  const product = productOf(left.shape, right.shape);
  const { batch, m, n, k } = product;
  const vectors = [left.shape.length === 1 ? [] : [m], right.shape.length === 1 ? [] : [n]];
  const shape = [...batch, ...vectors.flat()];
  const { builder } = node;
  if (type !== "float32" || (isConstant(left) && isConstant(right))) {
    return builder.reshaped(onHost({ ...node, inputs: [left, right] }, hostPlan(type, product))[0]!, shape);
  }
  if (sizeOf(shape) === 0 || k === 0) return filled(node, shape, 0);
  if (isComputed(left) && isConstant(right) && right.shape.length <= 2) {
    return builder.reshaped(dense(node, left, n, { constant: { ...right, shape: [k, n] } }), shape);
  }
  return builder.reshaped(stacked(node, left, right, product), shape);
}

/** A matrix, or what it is when rows become columns. */
function turned(value: Value, turns: boolean): Value {
  if (value.shape.length !== 2) throw new Unsupported(`expected a matrix, got ${value.shape.join("×")}`);
  if (!turns) return value;
  const { type } = value;
  const [rows, columns] = value.shape as [number, number];
  const shape = [columns, rows];
  if (!isConstant(value)) return { ...value, shape, order: value.order.map((axis) => 1 - axis) };
  return { type, shape, data: () => reorder(value.data(), value.shape, [1, 0]) };
}

/** `alpha·op(A)·op(B) + beta·C`; where B is known a layer that learns, with C as its bias where it is one. */
function gemm(node: Node): readonly Value[] {
  const { attributes } = node;
  attributes.ignore("broadcast");
  const [alpha, beta] = [attributes.float("alpha", 1), attributes.float("beta", 1)];
  const [transA, transB] = [attributes.int("transA", 0) !== 0, attributes.int("transB", 0) !== 0];
  const [a, b, c] = [turned(required(node, 0), transA), required(node, 1), node.inputs[2]];
  const scaled = (value: Value, scale: number): Value =>
    scale === 1 ? value : combine(node, "mul", value, scalar(scale));
  const plus = (y: Value): Value => (c && beta !== 0 ? combine(node, "add", y, scaled(c, beta)) : y);
  const right = turned(b, transB);
  if (!isComputed(a) || !isConstant(b) || sizeOf(a.shape) * sizeOf(b.shape) === 0 || alpha === 0) {
    return [plus(scaled(multiply(node, a, right), alpha))];
  }
  const { m, n } = productOf(a.shape, right.shape);
  if (a.type !== b.type)
    throw new Unsupported(`expected two values of one type, got ${a.type} and ${b.type}`);
  const kernel = { constant: b, scale: alpha, ...(transB && { order: [1, 0] }) };
  const bias = c && isConstant(c) && beta !== 0 ? perChannel(c, [m, n], 1) : undefined;
  const y = dense(node, a, n, kernel, bias && { constant: bias, scale: beta });
  return [bias ? y : plus(y)];
}

export const MATRICES: Readonly<Record<string, Operator>> = {
  Gemm: { inputs: [2, 3], lower: gemm },
  MatMul: {
    inputs: [2, 2],
    lower: (node) => [multiply(node, required(node, 0), required(node, 1))],
  },
};
