import { FormatError } from "../../errors.ts";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";
import { Message } from "./wire.ts";

function tensorMessage(tensor: TensorProto): Message {
  if (tensor.external) {
    throw new FormatError(`encodeModel: ${tensor.name}: expected elements in the file, got others elsewhere`);
  }
  const message = new Message();
  message.ints(1, tensor.dims);
  message.int(2, tensor.dataType);
  message.numbers(4, Float32Array.from(tensor.floats));
  message.ints(5, tensor.int32s);
  message.ints(7, tensor.int64s);
  message.text(8, tensor.name);
  if (tensor.raw) message.bytes(9, tensor.raw);
  message.numbers(10, Float64Array.from(tensor.doubles));
  return message;
}

function attributeMessage({ name, type, f, i, s, t, floats, ints, strings }: AttributeProto): Message {
  const message = new Message();
  message.text(1, name);
  if (f !== undefined) message.float(2, f);
  if (i !== undefined) message.int(3, i);
  if (s !== undefined) message.text(4, s);
  if (t) message.message(5, tensorMessage(t));
  message.numbers(7, Float32Array.from(floats));
  message.ints(8, ints);
  for (const each of strings) message.text(9, each);
  message.int(20, type);
  return message;
}

function nodeMessage(node: NodeProto): Message {
  const message = new Message();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.name);
  message.text(4, node.opType);
  for (const attribute of node.attributes) message.message(5, attributeMessage(attribute));
  message.text(7, node.domain);
  return message;
}

function shapeMessage(dims: readonly (number | string)[]): Message {
  const message = new Message();
  for (const size of dims) {
    const dimension = new Message();
    if (typeof size === "number") dimension.int(1, size);
    else if (size !== "") dimension.text(2, size);
    message.message(1, dimension);
  }
  return message;
}

function valueMessage({ name, elementType, dims }: ValueInfoProto): Message {
  const [message, type, tensor] = [new Message(), new Message(), new Message()];
  tensor.int(1, elementType);
  if (dims) tensor.message(2, shapeMessage(dims));
  type.message(1, tensor);
  message.text(1, name);
  message.message(2, type);
  return message;
}

function graphMessage(graph: GraphProto): Message {
  const message = new Message();
  for (const node of graph.nodes) message.message(1, nodeMessage(node));
  message.text(2, graph.name);
  for (const tensor of graph.initializers) message.message(5, tensorMessage(tensor));
  for (const value of graph.inputs) message.message(11, valueMessage(value));
  for (const value of graph.outputs) message.message(12, valueMessage(value));
  return message;
}

/**
 * The bytes of a model's messages.
 * @throws FormatError for what the messages only count: functions, sparse initializers, elements in other files.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const { graph, functions } = model;
  if (functions > 0 || (graph && graph.sparse > 0)) {
    throw new FormatError("encodeModel: expected neither functions nor sparse initializers, got some");
  }
  const message = new Message();
  message.int(1, model.irVersion);
  message.text(2, model.producer);
  if (graph) message.message(7, graphMessage(graph));
  for (const { domain, version } of model.opsets) {
    const opset = new Message();
    opset.text(1, domain);
    opset.int(2, version);
    message.message(8, opset);
  }
  return message.finish();
}
