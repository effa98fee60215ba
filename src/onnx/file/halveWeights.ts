/** ONNX files with half as large weights. */
import { PbfReader } from "pbf";
import { FormatError } from "../../errors.ts";
import { decodeModel } from "./decode.ts";
import { MessageWriter } from "./message.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, type TensorProto } from "./proto.ts";
import { rawElements, readTensor } from "./tensorData.ts";

/** Fields of messages: the version of a model's form, and its graph; nodes, initializers and inputs of a graph; the name of an input. */
const IR_VERSION = 1;
const GRAPH = 7;
const NODES = 1;
const INITIALIZERS = 5;
const INPUTS = 11;
const INPUT_NAME = 1;

/** From this version on, initializers need not be among the graph's inputs. */
const FREE_INITIALIZERS = 4;

/** The largest number of float16; numbers from here on, half a step above, would become infinite. */
const LARGEST = 65504;
const OVERFLOW = 65520;

/** Filters and matrices are worth it; biases, scales and statistics are few, and their range is wanted. */
const isHalved = ({ dataType, dims, external }: TensorProto): boolean =>
  dataType === DATA_TYPE.float32 && dims.length >= 2 && !external;

/** The elements as float16. @throws FormatError for a finite number that would become infinite */
function halves(tensor: TensorProto): Uint8Array {
  const where = `float16: ${tensor.name}`;
  const data = readTensor(where, tensor).data() as Float32Array;
  const wrong = data.find((value) => Number.isFinite(value) && Math.abs(value) >= OVERFLOW);
  if (wrong === undefined) return rawElements(DATA_TYPE.float16, data);
  throw new FormatError(`${where}: expected numbers up to ${LARGEST}, got ${wrong}`);
}

/** A name that no value of the file has. */
function freshName(name: string, taken: Set<string>): string {
  let fresh = `${name}/float16`;
  while (taken.has(fresh)) fresh += "_";
  taken.add(fresh);
  return fresh;
}

function writeTensor(writer: MessageWriter, name: string, { dims }: TensorProto, raw: Uint8Array): void {
  for (const size of dims) writer.integer(1, size);
  writer.integer(2, DATA_TYPE.float16);
  writer.text(8, name);
  writer.bytes(9, raw);
}

/** A node that widens a stored weight to the float32 that the others compute with. */
function writeCast(writer: MessageWriter, stored: string, name: string): void {
  writer.text(1, stored);
  writer.text(2, name);
  writer.text(3, `${stored}/Cast`);
  writer.text(4, "Cast");
  writer.message(5, (attribute) => {
    attribute.text(1, "to");
    attribute.integer(3, DATA_TYPE.float32);
    attribute.integer(20, ATTRIBUTE_TYPE.int);
  });
}

/** The name in the message of a graph's input that begins, with its length, at a byte of the file. */
function nameAt(file: Uint8Array, at: number): string {
  const reader = new PbfReader(file);
  reader.pos = at;
  const end = reader.readVarint() + reader.pos;
  while (reader.pos < end) {
    const tag = reader.readVarint();
    if (tag >>> 3 === INPUT_NAME) return reader.readString();
    reader.skip(tag);
  }
  return "";
}

/**
 * An ONNX file whose filters and matrices are stored as float16, each rounded to the nearest, and widened by a node of its
 * own: the net computes in float32 as before. All else stays byte for byte.
 * @throws FormatError for a weight that float16 cannot hold
 */
export function halveWeights(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const { graph, irVersion } = decodeModel(file);
  if (!graph) throw new FormatError("float16: expected a file with a graph, got one without");
  const tensors = graph.initializers.filter(isHalved);
  const taken = new Set([...graph.initializers, ...graph.inputs].map(({ name }) => name));
  for (const { outputs } of graph.nodes) for (const output of outputs) taken.add(output);
  const stored = new Map(tensors.map(({ name }) => [name, freshName(name, taken)]));
  const byPlace = new Map(tensors.map((tensor) => [tensor.at!, tensor]));
  const reader = new PbfReader(file);

  /** A field of the graph: a halved weight, an input that old files list for one, or what stays. */
  function graphField(writer: MessageWriter): void {
    const start = reader.pos;
    const tag = reader.readVarint();
    const at = reader.pos;
    reader.skip(tag);
    const field = tag >>> 3;
    const tensor = field === INITIALIZERS ? byPlace.get(at) : undefined;
    if (tensor) {
      writer.message(INITIALIZERS, (inner) =>
        writeTensor(inner, stored.get(tensor.name)!, tensor, halves(tensor)),
      );
      return;
    }
    if (field === INPUTS) {
      if (stored.has(nameAt(file, at))) return;
    }
    writer.fields(file.subarray(start, reader.pos));
  }

  const writer = new MessageWriter();
  let first = true;
  while (reader.pos < file.length) {
    const start = reader.pos;
    const tag = reader.readVarint();
    if (tag >>> 3 !== GRAPH) {
      reader.skip(tag);
      const isOld = tag >>> 3 === IR_VERSION && irVersion < FREE_INITIALIZERS;
      if (isOld) writer.integer(IR_VERSION, FREE_INITIALIZERS);
      else writer.fields(file.subarray(start, reader.pos));
      continue;
    }
    const end = reader.readVarint() + reader.pos;
    writer.message(GRAPH, (inner) => {
      // Nodes come in an order in which each follows what it reads.
      if (first)
        for (const [name, half] of stored) inner.message(NODES, (node) => writeCast(node, half, name));
      first = false;
      while (reader.pos < end) graphField(inner);
    });
  }
  return writer.join();
}
