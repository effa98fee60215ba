import { PbfWriter } from "pbf";
import { FormatError } from "../../errors.ts";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";

type Fields<T> = (message: T, writer: PbfWriter) => void;

const tensorFields: Fields<TensorProto> = (tensor, writer) => {
  if (tensor.external) {
    throw new FormatError(`encodeModel: ${tensor.name}: expected elements in the file, got others elsewhere`);
  }
  writer.writePackedVarint(1, tensor.dims);
  writer.writeVarintField(2, tensor.dataType);
  writer.writePackedFloat(4, tensor.floats);
  writer.writePackedVarint(5, tensor.int32s);
  writer.writePackedVarint(7, tensor.int64s);
  writer.writeStringField(8, tensor.name);
  if (tensor.raw) writer.writeBytesField(9, tensor.raw);
  writer.writePackedDouble(10, tensor.doubles);
};

const attributeFields: Fields<AttributeProto> = (attribute, writer) => {
  const { f, i, s, t } = attribute;
  writer.writeStringField(1, attribute.name);
  if (f !== undefined) writer.writeFloatField(2, f);
  if (i !== undefined) writer.writeVarintField(3, i);
  if (s !== undefined) writer.writeStringField(4, s);
  if (t) writer.writeMessage(5, tensorFields, t);
  writer.writePackedFloat(7, attribute.floats);
  writer.writePackedVarint(8, attribute.ints);
  for (const each of attribute.strings) writer.writeStringField(9, each);
  writer.writeVarintField(20, attribute.type);
};

const nodeFields: Fields<NodeProto> = (node, writer) => {
  for (const input of node.inputs) writer.writeStringField(1, input);
  for (const output of node.outputs) writer.writeStringField(2, output);
  writer.writeStringField(3, node.name);
  writer.writeStringField(4, node.opType);
  for (const attribute of node.attributes) writer.writeMessage(5, attributeFields, attribute);
  writer.writeStringField(7, node.domain);
};

const shapeFields: Fields<readonly (number | string)[]> = (dims, writer) => {
  for (const size of dims) {
    writer.writeMessage(
      1,
      () => {
        if (typeof size === "number") writer.writeVarintField(1, size);
        else if (size !== "") writer.writeStringField(2, size);
      },
      size,
    );
  }
};

const tensorTypeFields: Fields<ValueInfoProto> = ({ elementType, dims }, writer) => {
  writer.writeVarintField(1, elementType);
  if (dims) writer.writeMessage(2, shapeFields, dims);
};

const valueFields: Fields<ValueInfoProto> = (value, writer) => {
  writer.writeStringField(1, value.name);
  writer.writeMessage(2, () => writer.writeMessage(1, tensorTypeFields, value), value);
};

const graphFields: Fields<GraphProto> = (graph, writer) => {
  for (const node of graph.nodes) writer.writeMessage(1, nodeFields, node);
  writer.writeStringField(2, graph.name);
  for (const tensor of graph.initializers) writer.writeMessage(5, tensorFields, tensor);
  for (const value of graph.inputs) writer.writeMessage(11, valueFields, value);
  for (const value of graph.outputs) writer.writeMessage(12, valueFields, value);
};

const opsetFields: Fields<{ domain: string; version: number }> = ({ domain, version }, writer) => {
  writer.writeStringField(1, domain);
  writer.writeVarintField(2, version);
};

/**
 * The bytes of a model's messages.
 * @throws FormatError for what the messages only count: functions, sparse initializers, elements in other files.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const { graph, functions } = model;
  if (functions > 0 || (graph && graph.sparse > 0)) {
    throw new FormatError("encodeModel: expected neither functions nor sparse initializers, got some");
  }
  const writer = new PbfWriter();
  writer.writeVarintField(1, model.irVersion);
  writer.writeStringField(2, model.producer);
  if (graph) writer.writeMessage(7, graphFields, graph);
  for (const opset of model.opsets) writer.writeMessage(8, opsetFields, opset);
  // A copy of its size: the writer's buffer is up to twice as long.
  return writer.finish().slice();
}
