/** Small ONNX files, written out by hand. */
import { encodeModel } from "../../src/onnx/file/encode.ts";
import {
  ATTRIBUTE_TYPE,
  DATA_TYPE,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../../src/onnx/file/proto.ts";

/** An attribute: a number is an integer unless it stands in `{ float }`. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | TensorProto;

export function attribute(name: string, value: Attribute): AttributeProto {
  const empty = { name, floats: [], ints: [], strings: [] };
  if (typeof value === "number") return { ...empty, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === "string") return { ...empty, type: ATTRIBUTE_TYPE.string, s: value };
  if ("float" in value) return { ...empty, type: ATTRIBUTE_TYPE.float, f: value.float };
  if ("dataType" in value) return { ...empty, type: ATTRIBUTE_TYPE.tensor, t: value };
  return { ...empty, type: ATTRIBUTE_TYPE.ints, ints: [...value] };
}

/** A node called as its first output. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, Attribute>> = {},
): NodeProto {
  const named = typeof outputs === "string" ? [outputs] : [...outputs];
  return {
    name: named[0] ?? "",
    opType,
    domain: "",
    inputs: [...inputs],
    outputs: named,
    attributes: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
}

/** A constant of float32, or of the other type that `data` is. */
export function constant(
  name: string,
  dims: readonly number[],
  data: readonly number[] | Float32Array | BigInt64Array,
): TensorProto {
  const typed = Array.isArray(data) ? Float32Array.from(data) : (data as Float32Array | BigInt64Array);
  return {
    name,
    dims: [...dims],
    dataType: typed instanceof BigInt64Array ? DATA_TYPE.int64 : DATA_TYPE.float32,
    raw: new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength),
    floats: [],
    int32s: [],
    int64s: [],
    doubles: [],
    external: false,
  };
}

/** An input or output; float32 unless told. */
export function valueInfo(
  name: string,
  dims?: readonly (number | string)[],
  elementType: number = DATA_TYPE.float32,
): ValueInfoProto {
  return { name, elementType, ...(dims && { dims: [...dims] }) };
}

export interface FileParts {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs: readonly string[];
  readonly initializers?: readonly TensorProto[];
  readonly version?: number;
}

export function messages(parts: FileParts): ModelProto {
  const { nodes, inputs = [], outputs, initializers = [], version = 17 } = parts;
  const graph: GraphProto = {
    name: "test",
    nodes: [...nodes],
    initializers: [...initializers],
    inputs: [...inputs],
    outputs: outputs.map((name) => valueInfo(name)),
    sparse: 0,
  };
  return {
    irVersion: 8,
    producer: "test",
    opsets: [{ domain: "", version }],
    graph,
    functions: 0,
    metadata: {},
  };
}

/** The bytes of such a file. */
export function onnxFile(parts: FileParts): Uint8Array {
  return encodeModel(messages(parts));
}
