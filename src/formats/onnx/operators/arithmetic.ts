/** Sums, products and the like of two or more values, whose shapes are broadcast. */
import * as layers from "../../../layers/index.ts";
import { sameShape, sizeOf, type Shape } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import { constantOf, onHost, required, type Node, type Operator } from "../operator.ts";
import { isConstant, type Constant, type Value } from "../values.ts";

/** A float32 constant without axes. */
export function scalar(value: number): Constant {
  return constantOf("float32", [], Float32Array.of(value));
}

/** What is computed of each pair; float32 results are rounded once, integers are whole. */
const COMBINE = {
  add: (a: number, b: number): number => a + b,
  sub: (a: number, b: number): number => a - b,
  mul: (a: number, b: number): number => a * b,
  div: (a: number, b: number): number => a / b,
};

type Kind = keyof typeof COMBINE;

/** The shape that two become together. @throws Unsupported unless their sizes are the same or 1, counted from the last */
export function broadcastShape(a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[i - rank + a.length] ?? 1, b[i - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1) {
      throw new Unsupported(`expected shapes that fit together, got ${a.join("×")} and ${b.join("×")}`);
    }
    return m === 1 ? n : m;
  });
}

/** Where each element of a broadcast tensor lies in the one it comes from, in ascending order. */
export function* broadcastPlaces(from: Shape, to: Shape): Generator<number> {
  const missing = to.length - from.length;
  const steps = to.map((_, i) =>
    i < missing || from[i - missing] === 1 ? 0 : sizeOf(from.slice(i - missing + 1)),
  );
  const index = to.map(() => 0);
  let at = 0;
  for (let count = sizeOf(to); count > 0; count--) {
    yield at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < to[axis]!) break;
      at -= steps[axis]! * to[axis]!;
      index[axis] = 0;
    }
  }
}

/** Two values together, element by element. */
export function combine(node: Node, kind: Kind, a: Value, b: Value): Value {
  const { builder } = node;
  if (a.type !== b.type)
    throw new Unsupported(`expected two values of one type, got ${a.type} and ${b.type}`);
  const { type } = a;
  const float = type === "float32";
  if (
    float &&
    !isConstant(a) &&
    !isConstant(b) &&
    sameShape(a.shape, b.shape) &&
    (kind === "add" || kind === "mul")
  ) {
    const layer = kind === "add" ? layers.add() : layers.multiply();
    const [x, y] = [a, builder.ordered(b, a.order)];
    return builder.apply(layer, [x, y], { type, shape: a.shape }, a.order);
  }
  const shape = broadcastShape(a.shape, b.shape);
  const compute = COMBINE[kind];
  const exact = float || kind !== "div" ? compute : (m: number, n: number) => Math.trunc(compute(m, n));
  return onHost(
    { ...node, inputs: [a, b] },
    {
      outputs: [{ type, shape }],
      run([x, y], [z]) {
        const [left, right] = [broadcastPlaces(a.shape, shape), broadcastPlaces(b.shape, shape)];
        for (let i = 0; i < z!.length; i++) z![i] = exact(x![left.next().value!]!, y![right.next().value!]!);
      },
    },
  )[0]!;
}

function binary(kind: Kind): Operator {
  return { inputs: [2, 2], lower: (node) => [combine(node, kind, required(node, 0), required(node, 1))] };
}

export const ARITHMETIC: Readonly<Record<string, Operator>> = {
  Add: binary("add"),
  Div: binary("div"),
  Mul: binary("mul"),
  Sub: binary("sub"),
};
