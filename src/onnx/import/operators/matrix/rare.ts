/** Products of matrices that are both computed or both constant, of integers, or in stacks. */
import { shapeText, sizeOf, type Shape } from "../../../../tensor.ts";
import { BatchDependent } from "../../builder.ts";
import { besideImages } from "../../constants.ts";
import { CONSTANT } from "../../../../layers/constant.ts";
import type { HostPlan } from "../../layers/host.ts";
import * as layers from "../../../../layers/index.ts";
import { Unsupported } from "../../node.ts";
import { checkType, NUMBERS, onHost, type Node, type OperatorTable } from "../../operator.ts";
import type { Constant } from "../../../file/constant.ts";
import { isComputed, isConstant, type Value } from "../../values.ts";
import { withWeights } from "../../weights.ts";
import { seenConstant } from "../arithmetic/common.ts";
import { broadcastOffsets, broadcastShape, filled, padShape } from "../broadcasting.ts";
import { dense, matrices } from "./common.ts";

/** The product of two stacks of matrices: the operands' shapes at equal rank, and the sizes of the result. */
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
      `expected matrices [m, k] and [k, n], got ${shapeText(left)} and ${shapeText(right)}`,
    );
  }
  const batch = broadcastShape(a.slice(0, -2), b.slice(0, -2));
  const rank = batch.length + 2;
  return { a: padShape(a, rank), b: padShape(b, rank), batch, m, n, k };
}

/** The product on the host, with sums in float64 and in ascending order of k. */
function hostPlan(type: Value["type"], { a, b, batch, m, n, k }: Product): HostPlan {
  return {
    outputs: [{ type, shape: [...batch, m, n] }],
    work: sizeOf(batch) * m * n * k,
    run([x, y], [z]) {
      const [left, right] = [
        broadcastOffsets(a.slice(0, -2), batch),
        broadcastOffsets(b.slice(0, -2), batch),
      ];
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

/** A layer for the product of two stacks of matrices, of which one may be constant. */
function stacked(node: Node, left: Value, right: Value, product: Product): Value {
  const { builder } = node;
  const { batch, m, n } = product;
  const rank = batch.length + 2;
  const images = builder.batch === undefined ? 0 : 1;
  if (batch.length < images) throw new BatchDependent("it joins the images of a batch");
  const values = [builder.reshaped(left, product.a), builder.reshaped(right, product.b)].map((value) =>
    besideImages(builder, value),
  );
  const order = Array.from({ length: rank }, (_, axis) => axis);
  const operands = values.map((value) =>
    isConstant(value) ? seenConstant(builder, value, order) : value.shape.slice(images),
  ) as readonly Shape[] as [Shape, Shape];
  const known = values.findIndex(isConstant);
  const shape = [...batch, m, n];
  const layer = layers.matMul({ operands, ...(known >= 0 && { constant: known as 0 | 1 }) });
  const loaded =
    known < 0 ? layer : withWeights(builder, layer, { [CONSTANT]: { constant: values[known] as Constant } });
  const computed = values.filter(isComputed).map((value) => builder.inFileOrder(value));
  return builder.apply(loaded, computed, { type: "float32", shape });
}

/** The product of two values, as by NumPy's `matmul`. */
function multiply(node: Node, left: Value, right: Value): Value {
  const { type } = left;
  if (type !== right.type)
    throw new Unsupported(`expected two values of one type, got ${type} and ${right.type}`);
  checkType("operands", left, NUMBERS);
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

export function rareProducts(): OperatorTable {
  return matrices(multiply);
}
