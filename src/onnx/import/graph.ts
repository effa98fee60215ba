import { FormatError } from "../../errors.ts";
import { parseMetadata, type ModelMetadata } from "../../metadata.ts";
import { listed, show } from "../../options.ts";
import { decodeModel } from "../file/decode.ts";
import {
  DATA_TYPE,
  METADATA_PREFIX,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "../file/proto.ts";
import { dataTypeName, elementTypeOf, readTensor, shapeFault } from "../file/tensorData.ts";
import type { Constant, ElementType } from "../file/constant.ts";

/** The operators' versions that are read here. */
const FIRST_VERSION = 6;
const LAST_VERSION = 25;

/** An input of a net. */
export interface OnnxInput {
  readonly name: string;
  readonly type: ElementType;
  /** Sizes, or names of sizes that the file leaves open. */
  readonly dims: readonly (number | string)[];
}

/** A file's graph, checked: each node comes after what it reads, and every value is defined once. */
export interface OnnxGraph {
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, Constant>;
  readonly inputs: readonly OnnxInput[];
  readonly outputs: readonly string[];
  /** The version of ONNX's operators. */
  readonly version: number;
  /** The file that it was read from. */
  readonly bytes: Uint8Array;
  readonly metadata: ModelMetadata;
}

function fail(place: string, expected: string, given: unknown): never {
  throw new FormatError(`loadOnnx: ${place}: expected ${expected}, got ${show(given)}`);
}

/** The name of a node in errors: its own, else that of the first value it defines. */
export function nodeName({ name, opType, outputs }: NodeProto): string {
  return name || outputs[0] || opType;
}

function versionOf({ opsets }: ModelProto): number {
  const own = opsets.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const version = own?.version;
  if (version === undefined || version < FIRST_VERSION || version > LAST_VERSION) {
    fail("opset", `version ${FIRST_VERSION} to ${LAST_VERSION} of ONNX's operators`, version);
  }
  return version;
}

function readInput({ name, elementType, dims }: ValueInfoProto): OnnxInput {
  const type = elementType === DATA_TYPE.uint8 ? "uint8" : elementTypeOf(elementType);
  if (!type)
    fail(
      `input ${show(name)}`,
      "a tensor of float32, float16, int32, int64, bool or uint8",
      dataTypeName(elementType),
    );
  if (!dims) fail(`input ${show(name)}`, "a shape", "none");
  // Exporters write −1 for what is open.
  const sizes = dims.map((size) => (typeof size === "number" && size < 0 ? "" : size));
  const fault = shapeFault(sizes.map((size) => (typeof size === "number" ? size : 1)));
  if (fault) throw new FormatError(`loadOnnx: input ${show(name)}: ${fault}`);
  return { name, type, dims: sizes };
}

/** The nodes in an order in which each comes after what it reads: the file's own, where that is one. */
function sorted(nodes: readonly NodeProto[], given: ReadonlySet<string>): NodeProto[] {
  const defined = new Map<string, NodeProto>();
  for (const node of nodes) {
    for (const output of node.outputs) {
      if (output === "") continue;
      if (given.has(output) || defined.has(output)) {
        fail(nodeName(node), "values of its own", `${output}, which is defined twice`);
      }
      defined.set(output, node);
    }
  }
  const waiting = new Map<NodeProto, number>();
  const readers = new Map<NodeProto, NodeProto[]>();
  for (const node of nodes) {
    const sources = new Set<NodeProto>();
    for (const input of node.inputs) {
      if (input === "" || given.has(input)) continue;
      sources.add(defined.get(input) ?? fail(nodeName(node), "inputs that something defines", input));
    }
    waiting.set(node, sources.size);
    for (const source of sources) {
      const known = readers.get(source);
      if (known) known.push(node);
      else readers.set(source, [node]);
    }
  }
  const ready = nodes.filter((node) => waiting.get(node) === 0);
  // The list grows while it is walked.
  for (const node of ready) {
    for (const reader of readers.get(node) ?? []) {
      const left = waiting.get(reader)! - 1;
      waiting.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  const stuck = nodes.find((node) => waiting.get(node)! > 0);
  if (stuck) fail(nodeName(stuck), "a graph without cycles", "a node that waits for its own output");
  return ready;
}

/** @throws FormatError naming the place, unless the bytes are a whole model; `model` is what they say. */
export function readGraph(bytes: Uint8Array, model: ModelProto = decodeModel(bytes)): OnnxGraph {
  const { graph, functions } = model;
  if (!graph || graph.outputs.length === 0)
    fail("file", "a graph with outputs", graph ? "a graph without any" : "none");
  if (functions > 0) fail("file", "operators of ONNX", `${functions} functions of the file's own`);
  if (graph.sparse > 0) fail("file", "dense initializers", `${graph.sparse} sparse ones`);
  const initializers = new Map<string, Constant>();
  for (const tensor of graph.initializers) {
    if (initializers.has(tensor.name)) fail("initializers", "names of their own", tensor.name);
    const constant = readTensor(`loadOnnx: ${tensor.name}`, tensor);
    initializers.set(tensor.name, { ...constant, weight: constant.type === "float32" });
  }
  // Files of the first versions list initializers among the inputs.
  const inputs = graph.inputs.filter(({ name }) => !initializers.has(name)).map(readInput);
  const given = new Set([...initializers.keys(), ...inputs.map(({ name }) => name)]);
  if (given.size !== initializers.size + inputs.length)
    fail("inputs", "names of their own", listed([...given]));
  const nodes = sorted(graph.nodes, given);
  const values = new Set([...given, ...nodes.flatMap((node) => node.outputs)]);
  const outputs = graph.outputs.map(({ name }) => name);
  const missing = outputs.find((name) => name === "" || !values.has(name));
  if (missing !== undefined) fail("outputs", "values that something defines", missing);
  if (new Set(outputs).size < outputs.length) fail("outputs", "values of their own", listed(outputs));
  return {
    nodes,
    initializers,
    inputs,
    outputs,
    version: versionOf(model),
    bytes,
    metadata: parseMetadata("loadOnnx", model.metadata, METADATA_PREFIX),
  };
}
