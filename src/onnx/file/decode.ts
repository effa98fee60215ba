import { PbfReader } from "pbf";
import { Budget, DEFAULT_LIMITS, type AllLimits } from "../../budget.ts";
import { FormatError, MemoryError } from "../../errors.ts";
import {
  METADATA_PREFIX,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "./proto.ts";

/** A message takes about so much memory in JavaScript: an object and some lists. */
const MESSAGE_BYTES = 256;

type Field<T> = (tag: number, message: T, reader: StrictReader) => void;

/** Reads an embedded message into `message`. */
function embedded<T>(reader: StrictReader, field: Field<T>, message: T): T {
  reader.budget.spend(MESSAGE_BYTES);
  return reader.readMessage(field as never, message);
}

const emptyTensor = (at = 0): TensorProto => ({
  name: "",
  dims: [],
  dataType: 0,
  floats: [],
  int32s: [],
  int64s: [],
  doubles: [],
  external: false,
  at,
});

const tensorField: Field<TensorProto> = (tag, tensor, reader) => {
  if (tag === 1) reader.readPackedVarint(tensor.dims, true);
  else if (tag === 2) tensor.dataType = reader.readVarint();
  else if (tag === 4) reader.readPackedFloat(tensor.floats);
  else if (tag === 5) reader.readPackedVarint(tensor.int32s, true);
  else if (tag === 7) reader.readPackedVarint(tensor.int64s, true);
  else if (tag === 8) tensor.name = reader.readString();
  else if (tag === 9) tensor.raw = reader.readBytes();
  else if (tag === 10) reader.readPackedDouble(tensor.doubles);
  else if (tag === 11) reader.readPackedVarint(tensor.int64s);
  else if (tag === 13 || tag === 14)
    tensor.external = tag === 13 || reader.readVarint() === 1 || tensor.external;
};

const attributeField: Field<AttributeProto> = (tag, attribute, reader) => {
  if (tag === 1) attribute.name = reader.readString();
  else if (tag === 2) attribute.f = reader.readFloat();
  else if (tag === 3) attribute.i = reader.readVarint(true);
  else if (tag === 4) attribute.s = reader.readString();
  else if (tag === 5) attribute.t = embedded(reader, tensorField, emptyTensor(reader.pos));
  else if (tag === 6 || tag === 11)
    (attribute.graphs ??= []).push(embedded(reader, graphField, emptyGraph()));
  else if (tag === 7) reader.readPackedFloat(attribute.floats);
  else if (tag === 8) reader.readPackedVarint(attribute.ints, true);
  else if (tag === 9) attribute.strings.push(reader.readString());
  else if (tag === 20) attribute.type = reader.readVarint();
};

const emptyNode = (): NodeProto => ({
  name: "",
  opType: "",
  domain: "",
  inputs: [],
  outputs: [],
  attributes: [],
});

const nodeField: Field<NodeProto> = (tag, node, reader) => {
  if (tag === 1) node.inputs.push(reader.readString());
  else if (tag === 2) node.outputs.push(reader.readString());
  else if (tag === 3) node.name = reader.readString();
  else if (tag === 4) node.opType = reader.readString();
  else if (tag === 5) {
    const attribute: AttributeProto = { name: "", type: 0, floats: [], ints: [], strings: [] };
    node.attributes.push(embedded(reader, attributeField, attribute));
  } else if (tag === 7) node.domain = reader.readString();
};

const dimensionField: Field<{ size: number | string }> = (tag, dimension, reader) => {
  if (tag === 1) dimension.size = reader.readVarint(true);
  else if (tag === 2) dimension.size = reader.readString();
};

const shapeField: Field<(number | string)[]> = (tag, dims, reader) => {
  if (tag === 1) dims.push(embedded(reader, dimensionField, { size: "" }).size);
};

const tensorTypeField: Field<ValueInfoProto> = (tag, value, reader) => {
  if (tag === 1) value.elementType = reader.readVarint();
  else if (tag === 2) value.dims = embedded(reader, shapeField, []);
};

const typeField: Field<ValueInfoProto> = (tag, value, reader) => {
  if (tag === 1) embedded(reader, tensorTypeField, value);
};

const valueField: Field<ValueInfoProto> = (tag, value, reader) => {
  if (tag === 1) value.name = reader.readString();
  else if (tag === 2) embedded(reader, typeField, value);
};

const emptyGraph = (): GraphProto => ({
  name: "",
  nodes: [],
  initializers: [],
  inputs: [],
  outputs: [],
  sparse: 0,
});

const graphField: Field<GraphProto> = (tag, graph, reader) => {
  const value = (): ValueInfoProto => embedded(reader, valueField, { name: "", elementType: 0 });
  if (tag === 1) {
    graph.nodes.push(embedded(reader, nodeField, emptyNode()));
    reader.budget.checkNodes(graph.nodes.length);
  } else if (tag === 2) graph.name = reader.readString();
  else if (tag === 5) graph.initializers.push(embedded(reader, tensorField, emptyTensor(reader.pos)));
  else if (tag === 11) graph.inputs.push(value());
  else if (tag === 12) graph.outputs.push(value());
  else if (tag === 15) graph.sparse++;
};

const functionField: Field<NodeProto[]> = (tag, nodes, reader) => {
  if (tag !== 7) return;
  nodes.push(embedded(reader, nodeField, emptyNode()));
  reader.budget.checkNodes(nodes.length);
};

const opsetField: Field<{ domain: string; version: number }> = (tag, opset, reader) => {
  if (tag === 1) opset.domain = reader.readString();
  else if (tag === 2) opset.version = reader.readVarint();
};

const entryField: Field<{ key: string; value: string }> = (tag, entry, reader) => {
  if (tag === 1) entry.key = reader.readString();
  else if (tag === 2) entry.value = reader.readString();
};

const modelField: Field<ModelProto> = (tag, model, reader) => {
  if (tag === 1) model.irVersion = reader.readVarint();
  else if (tag === 2) model.producer = reader.readString();
  else if (tag === 7) {
    // A message that comes twice is one in two parts.
    model.graph ??= emptyGraph();
    embedded(reader, graphField, model.graph);
  } else if (tag === 14) {
    const { key, value } = embedded(reader, entryField, { key: "", value: "" });
    if (key.startsWith(METADATA_PREFIX)) model.metadata[key] = value;
  } else if (tag === 8) model.opsets.push(embedded(reader, opsetField, { domain: "", version: 1 }));
  else if (tag === 25) {
    model.functions++;
    embedded(reader, functionField, (model.functionNodes ??= []));
  }
};

/**
 * Refuses lengths that lead out of the file, messages that do not end where they say, and fields that are stored otherwise
 * than they are read: pbf leaves that to its caller. So what was read once can be gone through again field by field.
 */
class StrictReader extends PbfReader {
  readonly budget: Budget;

  constructor(bytes: Uint8Array, budget: Budget) {
    super(bytes);
    this.budget = budget;
  }

  override readFields<T>(readField: Field<T>, result: T, end = this.length): T {
    this.#check(end);
    while (this.pos < end) {
      const key = this.readVarint();
      this.type = key & 7;
      const start = this.pos;
      this.skip(key);
      const next = this.pos;
      if (next > end) throw new RangeError(`a field ends at byte ${next}, beyond its message`);
      this.pos = start;
      readField(key >>> 3, result, this);
      if (this.pos !== start && this.pos !== next) {
        throw new RangeError(`field ${key >>> 3} is stored as type ${this.type}`);
      }
      this.pos = next;
    }
    if (this.pos !== end) throw new RangeError(`a message ends at byte ${this.pos} instead of ${end}`);
    return result;
  }

  override readPackedEnd(): number {
    const end = super.readPackedEnd();
    this.#check(end);
    return end;
  }

  #check(end: number): void {
    if (!(end >= this.pos && end <= this.length)) {
      throw new RangeError(`a length leads to byte ${end} of ${this.length}`);
    }
  }
}

const emptyModel = (): ModelProto => ({
  irVersion: 0,
  producer: "",
  opsets: [],
  graph: undefined,
  functions: 0,
  metadata: {},
});

/**
 * A model's messages; raw data are views of `bytes`. @throws FormatError unless the bytes are protobuf of that form;
 * MemoryError when they hold too much
 */
export function decodeModel(bytes: Uint8Array, limits: AllLimits = DEFAULT_LIMITS): ModelProto {
  return decode("loadOnnx", bytes, limits, modelField, emptyModel());
}

/** A tensor in a file of its own, as test data are stored. @throws FormatError */
export function decodeTensor(bytes: Uint8Array): TensorProto {
  return decode("decodeTensor", bytes, DEFAULT_LIMITS, tensorField, emptyTensor());
}

function decode<T>(where: string, bytes: Uint8Array, limits: AllLimits, field: Field<T>, message: T): T {
  const reader = new StrictReader(bytes, new Budget(where, limits, bytes.length));
  try {
    return reader.readFields(field, message);
  } catch (error) {
    if (error instanceof MemoryError) throw error;
    // The reason is pbf's: ends of views, wire types that do not exist, varints without an end.
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      `${where}: expected the bytes of an ONNX file, got others about byte ${reader.pos}: ${reason}`,
      {
        cause: error,
      },
    );
  }
}
