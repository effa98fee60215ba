/** Writes `lenet5.onnx` beside `lenet5.safetensors`, with the same weights: `node write-onnx.mjs <folder>`. */
import { writeFileSync } from "node:fs";
import protobuf from "protobufjs";
import { readSafetensors } from "./safetensors.mjs";

/** The part of onnx.proto that a net of these operators needs. */
const SCHEMA = `syntax = "proto2";
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message AttributeProto {
  optional string name = 1;
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
const INTS = 7;

const folder = process.argv[2];
const weights = readSafetensors(`${folder}/lenet5.safetensors`);

/** `tensor` with its axes in the order `axes`, row-major. */
function transpose({ shape, data }, axes) {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const turned = axes.map((axis) => shape[axis]);
  const result = data.map((_, index) => {
    let rest = index;
    let from = 0;
    for (let i = axes.length - 1; i >= 0; i--) {
      from += (rest % turned[i]) * strides[axes[i]];
      rest = Math.floor(rest / turned[i]);
    }
    return data[from];
  });
  return { shape: turned, data: result };
}

/** The weight for NCHW: filters are OIHW, and the first dense layer reads channels before pixels. */
function channelsFirst(name, weight) {
  if (weight.shape.length === 4) return transpose(weight, [3, 2, 0, 1]);
  if (name !== "dense.kernel") return weight;
  const [rows, units] = weight.shape;
  return {
    ...transpose({ shape: [5, 5, 16, units], data: weight.data }, [2, 0, 1, 3]),
    shape: [rows, units],
  };
}

const initializer = [...weights].map(([name, weight]) => {
  const { shape, data } = channelsFirst(name, weight);
  return { name, dims: shape, data_type: FLOAT, raw_data: new Uint8Array(data.buffer) };
});

let value = "image";
const node = [];
function add(op_type, attributes = {}, ...more) {
  const attribute = Object.entries(attributes).map(([name, ints]) => ({ name, ints, type: INTS }));
  const output = `${op_type}_${node.length}`;
  node.push({ op_type, input: [value, ...more], output: [output], attribute });
  value = output;
}

for (const [name, padding] of [
  ["conv2d", 2],
  ["conv2d_1", 0],
]) {
  const pads = [padding, padding, padding, padding];
  add("Conv", { kernel_shape: [5, 5], strides: [1, 1], pads }, `${name}.kernel`, `${name}.bias`);
  add("Relu");
  add("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] });
}
add("Flatten");
for (const name of ["dense", "dense_1", "dense_2"]) {
  add("Gemm", {}, `${name}.kernel`, `${name}.bias`);
  if (name !== "dense_2") add("Relu");
}
node.at(-1).output = ["logits"];

const info = (name, ...shape) => {
  const dim = shape.map((dim_value) => ({ dim_value }));
  return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
};
const graph = {
  name: "lenet5",
  node,
  initializer,
  input: [info("image", 1, 1, 28, 28)],
  output: [info("logits", 1, 10)],
};
const ModelProto = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("ModelProto");
const model = { ir_version: 8, opset_import: [{ domain: "", version: 17 }], graph };
writeFileSync(`${folder}/lenet5.onnx`, ModelProto.encode(ModelProto.fromObject(model)).finish());
