/** Broadcasting of shapes, and of values along them. */
import { shapeText, sizeOf, type Shape } from "../../../tensor.ts";
import { BatchDependent, type Builder } from "../builder.ts";
import { followsImages, isExact } from "../images.ts";
import { eachImage } from "../constants.ts";
import type { HostPlan } from "../layers/host.ts";
import { Unsupported } from "../node.ts";
import { constantOf, onHost, type Node } from "../operator.ts";
import type { Constant, ElementType } from "../../file/constant.ts";
import { isConstant, type Value } from "../values.ts";
import { walk } from "./transpose.ts";

/** A float32 constant without axes. */
export function scalar(value: number): Constant {
  return constantOf("float32", [], Float32Array.of(value));
}

/**
 * The result of an operation over no elements: a float32 constant, which may be empty itself.
 * @throws BatchDependent when the graph is to take any number of images
 */
export function filled({ builder }: Node, shape: Shape, value: number): Constant {
  if (builder.batch !== undefined) throw new BatchDependent("its result has no elements");
  builder.spend(sizeOf(shape));
  return constantOf("float32", shape, new Float32Array(sizeOf(shape)).fill(value));
}

/** The only number of a constant; undefined when there are several, and for values that are not constant. */
export function onlyNumber(value: Value): number | undefined {
  return "data" in value && !value.ofShape && sizeOf(value.shape) === 1 ? value.data()[0] : undefined;
}

/** The broadcast shape of two. @throws Unsupported unless sizes, counted from the last, are equal or 1 */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1) {
      throw new Unsupported(`expected shapes that can be broadcast, got ${shapeText(a)} and ${shapeText(b)}`);
    }
    return m === 1 ? n : m;
  });
}

/** @throws Unsupported unless a value can be broadcast to the shape `to` */
export function checkBroadcasts(what: string, { shape }: Value, to: Shape): void {
  const front = to.length - shape.length;
  if (front >= 0 && shape.every((size, axis) => size === 1 || size === to[axis + front])) return;
  throw new Unsupported(
    `${what}: expected a shape that can be broadcast to ${shapeText(to)}, got ${shapeText(shape)}`,
  );
}

/** Adds axes of size 1 in front of a shape, so that there are `rank`. */
export function padShape(shape: Shape, rank: number): Shape {
  return [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
}

/** The offsets of the elements of a broadcast tensor in the one that they come from, in ascending order. */
export function broadcastOffsets(from: Shape, to: Shape): Generator<number> {
  const own = padShape(from, to.length);
  return walk(
    to,
    own.map((size, axis) => (size === 1 ? 0 : sizeOf(own.slice(axis + 1)))),
  );
}

/** Returns true when a result that was computed with symbolic numbers a·n + b is right for all numbers of images n ≥ 1. */
export type Holds = (result: number, ...elements: number[]) => boolean;

/**
 * Computes elements, some of which may follow from the number of images. @throws BatchDependent unless the result
 * `holds`
 */
function exactly(
  builder: Builder,
  type: ElementType,
  compute: (...elements: number[]) => number,
  holds: Holds = () => false,
): (...elements: number[]) => number {
  return (...elements) => {
    const result = compute(...elements);
    if (!elements.some(followsImages)) return result;
    const kept = type === "float32" ? Math.fround(result) : result;
    if (kept !== result || !isExact(result) || !holds(result, ...elements)) builder.refuseImages();
    return result;
  };
}

/** Computes a function of the elements of values, which are broadcast, on the host: for constants and for rare operators. */
export function eachOnHost(
  node: Node,
  inputs: readonly Value[],
  type: ElementType,
  compute: (...elements: number[]) => number,
  holds?: Holds,
): Value {
  const { builder } = node;
  const symbolic = builder.isSymbolic && inputs.some((value) => isConstant(value) && value.ofShape);
  const each = symbolic ? exactly(builder, type, compute, holds) : compute;
  const planOf = (shapes: readonly Shape[]): HostPlan => {
    const shape = shapes.reduce(broadcastShape);
    return {
      outputs: [{ type, shape }],
      // Values that follow from the number of images are looked at element by element.
      moves: true,
      run(xs, [y]) {
        const offsets = shapes.map((from) => broadcastOffsets(from, shape));
        for (let i = 0; i < y!.length; i++) {
          y![i] = each(...offsets.map((offset, j) => xs[j]![offset.next().value!]!));
        }
      },
    };
  };
  if (inputs.every(isConstant)) {
    return onHost({ ...node, inputs }, planOf(inputs.map(({ shape }) => shape)))[0]!;
  }
  const { length: rank } = inputs.map(({ shape }) => shape).reduce(broadcastShape);
  const own = inputs.map((value) =>
    isConstant(value) && value.shape.length === rank ? eachImage(node.builder, value) : value,
  );
  const shapes = own.map(({ shape }) => shape);
  const byImage = own.every((value) => isConstant(value) || value.shape.length === rank);
  const ofImage = shapes.map((shape, i) => (isConstant(own[i]!) ? shape : [1, ...shape.slice(1)]));
  return onHost({ ...node, inputs: own }, planOf(shapes), byImage ? planOf(ofImage) : undefined)[0]!;
}

/** A constant as a list with one number for each index of an axis of `shape`; undefined when it varies along other axes. */
export function perChannel(constant: Constant, shape: Shape, axis: number): Constant | undefined {
  if (constant.shape.length > shape.length || constant.ofShape) return undefined;
  const sizes = padShape(constant.shape, shape.length);
  const channels = shape[axis]!;
  const fits = sizes.every((size, i) => size === (i === axis ? channels : 1));
  return fits ? { ...constant, shape: [channels] } : undefined;
}
