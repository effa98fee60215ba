/** The messages of onnx.proto (IR version 3 to 10) in an ONNX file, as far as nets of tensors use them. */

/** Element types, as `TensorProto.DataType` numbers them. */
export const DATA_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** Types of attributes, as `AttributeProto.AttributeType` numbers them. */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export interface TensorProto {
  name: string;
  dims: number[];
  /** One of `DATA_TYPE`. */
  dataType: number;
  /** The elements, little-endian; else they stand in one of the lists. */
  raw?: Uint8Array;
  floats: number[];
  /** Elements of all integer types but the two of 64 bits, and the bits of float16. */
  int32s: number[];
  int64s: number[];
  doubles: number[];
  /** Whether the elements lie in another file. */
  external: boolean;
  /** The byte of the file at which it begins, which identifies the tensor when the file is written again. */
  at?: number;
}

export interface AttributeProto {
  name: string;
  /** One of `ATTRIBUTE_TYPE`; 0 in old files, which leave it to be guessed. */
  type: number;
  f?: number;
  i?: number;
  s?: string;
  t?: TensorProto;
  /** Graphs that a node runs by itself: branches, bodies of loops. */
  graphs?: GraphProto[];
  floats: number[];
  ints: number[];
  strings: string[];
}

export interface NodeProto {
  name: string;
  opType: string;
  /** `""` is ONNX's own. */
  domain: string;
  /** Names of values; `""` for an optional one that is left out. */
  inputs: string[];
  outputs: string[];
  attributes: AttributeProto[];
}

export interface ValueInfoProto {
  name: string;
  /** One of `DATA_TYPE`; 0 for what is no tensor. */
  elementType: number;
  /** Sizes, or names of sizes; `""` for an unknown one. Absent when the file does not even declare their number. */
  dims?: (number | string)[];
}

export interface GraphProto {
  name: string;
  nodes: NodeProto[];
  initializers: TensorProto[];
  inputs: ValueInfoProto[];
  outputs: ValueInfoProto[];
  /** Sparse initializers, which nobody here reads. */
  sparse: number;
}

export interface ModelProto {
  irVersion: number;
  producer: string;
  /** Versions of the operators by their domain. */
  opsets: { domain: string; version: number }[];
  graph: GraphProto | undefined;
  /** Operators that the file itself defines, and the nodes that they are made of. */
  functions: number;
  functionNodes?: NodeProto[];
  /** The texts by name of which the names begin with `METADATA_PREFIX`. */
  metadata: Record<string, string>;
}

/** Begins the names of the package's own among the metadata of a file. */
export const METADATA_PREFIX = "im2row.";
