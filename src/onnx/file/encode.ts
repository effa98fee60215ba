import { FormatError } from "../../errors.ts";
import { MessageWriter } from "./message.ts";
import { ATTRIBUTE_TYPE } from "./proto.ts";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";

/** Writes the fields of one message. */
type Fields = (writer: MessageWriter) => void;

const tensor =
  ({ name, dims, dataType, raw, floats, int32s, int64s, doubles, external }: TensorProto): Fields =>
  (writer) => {
    if (external) {
      throw new FormatError(`encodeModel: ${name}: expected elements in the file, got others elsewhere`);
    }
    for (const size of dims) writer.integer(1, size);
    writer.integer(2, dataType);
    for (const value of floats) writer.float(4, value);
    for (const value of int32s) writer.integer(5, value);
    for (const value of int64s) writer.integer(7, value);
    writer.text(8, name);
    if (raw) writer.bytes(9, raw);
    for (const value of doubles) writer.double(10, value);
  };

const attribute =
  ({ name, type, f, i, s, t, graphs = [], floats, ints, strings }: AttributeProto): Fields =>
  (writer) => {
    writer.text(1, name);
    if (f !== undefined) writer.float(2, f);
    if (i !== undefined) writer.integer(3, i);
    if (s !== undefined) writer.text(4, s);
    if (t) writer.message(5, tensor(t));
    for (const each of graphs) writer.message(type === ATTRIBUTE_TYPE.graph ? 6 : 11, graphOf(each));
    for (const value of floats) writer.float(7, value);
    for (const value of ints) writer.integer(8, value);
    for (const value of strings) writer.text(9, value);
    writer.integer(20, type);
  };

const node =
  ({ name, opType, domain, inputs, outputs, attributes }: NodeProto): Fields =>
  (writer) => {
    for (const input of inputs) writer.text(1, input);
    for (const output of outputs) writer.text(2, output);
    writer.text(3, name);
    writer.text(4, opType);
    for (const each of attributes) writer.message(5, attribute(each));
    writer.text(7, domain);
  };

const dimension =
  (size: number | string): Fields =>
  (writer) => {
    if (typeof size === "number") writer.integer(1, size);
    else if (size !== "") writer.text(2, size);
  };

const tensorType =
  ({ elementType, dims }: ValueInfoProto): Fields =>
  (writer) => {
    writer.integer(1, elementType);
    if (!dims) return;
    writer.message(2, (shape) => {
      for (const size of dims) shape.message(1, dimension(size));
    });
  };

const valueInfo =
  (value: ValueInfoProto): Fields =>
  (writer) => {
    writer.text(1, value.name);
    writer.message(2, (type) => type.message(1, tensorType(value)));
  };

const graphOf =
  ({ name, nodes, initializers, inputs, outputs }: GraphProto): Fields =>
  (writer) => {
    for (const each of nodes) writer.message(1, node(each));
    writer.text(2, name);
    for (const each of initializers) writer.message(5, tensor(each));
    for (const each of inputs) writer.message(11, valueInfo(each));
    for (const each of outputs) writer.message(12, valueInfo(each));
  };

/** Writes texts by name as the metadata of a model. */
export function writeMetadata(writer: MessageWriter, metadata: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(metadata)) {
    writer.message(14, (entry) => {
      entry.text(1, key);
      entry.text(2, value);
    });
  }
}

/**
 * The bytes of a model's messages.
 * @throws FormatError for what the messages only count: functions, sparse initializers, elements in other files.
 */
export function encodeModel({
  irVersion,
  producer,
  opsets,
  graph,
  functions,
  metadata,
}: ModelProto): Uint8Array<ArrayBuffer> {
  if (functions > 0 || (graph && graph.sparse > 0)) {
    throw new FormatError("encodeModel: expected neither functions nor sparse initializers, got some");
  }
  const writer = new MessageWriter();
  writer.integer(1, irVersion);
  writer.text(2, producer);
  if (graph) writer.message(7, graphOf(graph));
  for (const { domain, version } of opsets) {
    writer.message(8, (opset) => {
      opset.text(1, domain);
      opset.integer(2, version);
    });
  }
  writeMetadata(writer, metadata);
  return writer.join();
}
