/** ONNX files of one operator, for onnxruntime. */
import protobuf from "protobufjs";

/** The part of onnx.proto that they need. */
const SCHEMA = `syntax = "proto2";
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message AttributeProto {
  optional string name = 1;
  optional int64 i = 3;
  repeated int64 ints = 8;
  optional int32 type = 20;
}
message NodeProto {
  repeated string input = 1;
  repeated string output = 2;
  optional string op_type = 4;
  repeated AttributeProto attribute = 5;
}
message TensorProto {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  optional string name = 8;
  optional bytes raw_data = 9;
}
message Dimension { optional int64 dim_value = 1; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorTypeProto { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional TensorTypeProto tensor_type = 1; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1;
  optional string name = 2;
  repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11;
  repeated ValueInfoProto output = 12;
}
message ModelProto {
  optional int64 ir_version = 1;
  optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8;
}`;
const FLOAT = 1;
const INT = 2;
const INTS = 7;

const ModelProto = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("ModelProto");

export interface Operand {
  readonly name: string;
  readonly shape: readonly number[];
  /** Constant in the file; without data it is an input of the graph. */
  readonly data?: Float32Array;
}

/** A file of one node whose output is `y`. */
export function operatorFile(
  type: string,
  operands: readonly Operand[],
  attributes: Readonly<Record<string, number | readonly number[]>>,
  output: readonly number[],
): Uint8Array {
  const info = (name: string, shape: readonly number[]) => ({
    name,
    type: { tensor_type: { elem_type: FLOAT, shape: { dim: shape.map((dim_value) => ({ dim_value })) } } },
  });
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === "number" ? { name, i: value, type: INT } : { name, ints: value, type: INTS },
  );
  const graph = {
    name: type,
    node: [{ op_type: type, input: operands.map(({ name }) => name), output: ["y"], attribute }],
    initializer: operands.flatMap(({ name, shape, data }) =>
      data ? [{ name, dims: shape, data_type: FLOAT, raw_data: new Uint8Array(data.slice().buffer) }] : [],
    ),
    input: operands.flatMap(({ name, shape, data }) => (data ? [] : [info(name, shape)])),
    output: [info("y", output)],
  };
  const model = { ir_version: 8, opset_import: [{ domain: "", version: 17 }], graph };
  return ModelProto.encode(ModelProto.fromObject(model)).finish();
}
