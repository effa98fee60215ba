/** Files of Resize, or Upsample, along one axis. */
import type { NodeProto, TensorProto } from "../../../src/onnx/file/proto.ts";
import type { Engine } from "../../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../../support/onnxFile.ts";

export type Attributes = Readonly<Record<string, Attribute>>;

export const nearest = (coordinates: string, rounding: string): Attributes => ({
  mode: "nearest",
  coordinate_transformation_mode: coordinates,
  nearest_mode: rounding,
});

export const blend = (mode: string, coordinates: string, more: Attributes = {}): Attributes => ({
  mode,
  coordinate_transformation_mode: coordinates,
  ...more,
});

/** The last of four axes is resized by a factor or to a size, as a whole or a part of it. */
export interface By {
  readonly scale?: number;
  readonly size?: number;
  readonly roi?: readonly number[];
}

export interface Case {
  readonly version: number;
  readonly attributes: Attributes;
  readonly by: By;
}

/** The node and its constants, called by `name`; x is `[1, 1, 1, n]`. */
function resizeOf(
  { version, attributes, by }: Case,
  name: string,
): { nodes: NodeProto[]; initializers: TensorProto[] } {
  const { scale, size, roi } = by;
  const initializers: TensorProto[] = [];
  const put = (what: string, made: (called: string) => TensorProto): string => {
    initializers.push(made(`${name}.${what}`));
    return `${name}.${what}`;
  };
  const floats = (what: string, data: readonly number[]): string =>
    put(what, (called) => constant(called, [data.length], data));
  const integers = (what: string, data: readonly number[]): string =>
    put(what, (called) => constant(called, [data.length], BigInt64Array.from(data, BigInt)));
  // Up to opset 12 what is left out is empty.
  const none = (what: string): string => (version < 13 ? floats(what, []) : "");
  const scales = scale === undefined ? none("scales") : floats("scales", [1, 1, 1, scale]);
  const region = version < 11 ? [] : [roi ? floats("roi", roi) : none("roi")];
  const sizes = size === undefined ? [] : [integers("sizes", [1, 1, 1, size])];
  const operator = version < 10 ? "Upsample" : "Resize";
  return { nodes: [node(operator, ["x", ...region, scales, ...sizes], name, attributes)], initializers };
}

/** A file of one input of `n` elements in a row, with an output for each case. */
export function fileOf(n: number, version: number, cases: readonly Omit<Case, "version">[]): Uint8Array {
  const parts = cases.map((each, i) => resizeOf({ ...each, version }, `y${i}`));
  return onnxFile({
    version,
    inputs: [valueInfo("x", [1, 1, 1, n])],
    initializers: parts.flatMap(({ initializers }) => initializers),
    nodes: parts.flatMap(({ nodes }) => nodes),
    outputs: parts.map((_, i) => `y${i}`),
  });
}

export async function run(
  engine: Engine,
  file: Uint8Array,
  x: OnnxTensor<Float32Array>,
): Promise<Record<string, OnnxTensor>> {
  const net = await loadOnnx(file, { engine });
  try {
    return net.predict({ x });
  } finally {
    net.dispose();
  }
}
