/** Nets of one node, for what it makes of a batch image by image and of the same as a whole. */
import { expect } from "vitest";
import type { Engine } from "../../../src/ops/engine.ts";
import { loadOnnx, type OnnxTensor } from "../../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../../support/onnxFile.ts";
import { sizeOf } from "./net.ts";

/** A node over `x[n, …]` and constants. */
export interface OneNode {
  readonly operator: string;
  /** Default: 19. */
  readonly version?: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The inputs behind `x`: integers, floats with a shape, or none. */
  readonly constants?: readonly (readonly (number | bigint)[] | OnnxTensor<Float32Array> | undefined)[];
  readonly outputs?: number;
}

/** `f` of the index of every element. */
export function tensorOf(
  shape: readonly number[],
  f: (...index: number[]) => number,
): OnnxTensor<Float32Array> {
  const index = shape.map(() => 0);
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return f(...index);
  });
  return { shape, data };
}

/** The element of a tensor at an index. */
export function at({ shape, data }: OnnxTensor, ...index: number[]): number {
  return Number(data[index.reduce((sum, i, axis) => sum * shape[axis]! + i, 0)]);
}

/** The file; with `whole` its net is one that tells its input's shape, and hence sees whole tensors. */
export function fileOf(one: OneNode, rest: readonly number[], whole: boolean): Uint8Array {
  const { operator, version = 19, attributes = {}, constants = [], outputs = 1 } = one;
  const initializers = constants.flatMap((given, i) => {
    if (!given) return [];
    if ("data" in given) return [constant(`c${i}`, given.shape, given.data)];
    return [constant(`c${i}`, [given.length], BigInt64Array.from(given, BigInt))];
  });
  const ys = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const names = constants.map((given, i) => (given ? `c${i}` : ""));
  const nodes = [node(operator, ["x", ...names], ys, attributes), node("Shape", ["x"], "shape")];
  return onnxFile({
    version,
    inputs: [valueInfo("x", ["n", ...rest])],
    initializers,
    nodes: whole ? nodes : nodes.slice(0, 1),
    outputs: whole ? [...ys, "shape"] : ys,
  });
}

/** The node's outputs for `x`. */
export async function outputsOf(
  engine: Engine,
  one: OneNode,
  x: OnnxTensor<Float32Array>,
  whole = false,
): Promise<OnnxTensor[]> {
  const net = await loadOnnx(fileOf(one, x.shape.slice(1), whole), { engine });
  try {
    const results = net.predict({ x });
    return Array.from({ length: one.outputs ?? 1 }, (_, i) => results[`y${i}`]!);
  } finally {
    net.dispose();
  }
}

/** The node's outputs for `x` image by image, which have to be the bits of those for the whole. */
export async function bothWays(
  engine: Engine,
  one: OneNode,
  x: OnnxTensor<Float32Array>,
): Promise<OnnxTensor[]> {
  const images = await outputsOf(engine, one, x);
  expect(await outputsOf(engine, one, x, true)).toEqual(images);
  return images;
}
