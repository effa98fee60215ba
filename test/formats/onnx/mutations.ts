/** Damage to files: of their bytes, of the fields of their messages, and of what the messages say. */
import { decodeModel } from "../../../src/formats/onnx/decode.ts";
import { encodeModel } from "../../../src/formats/onnx/encode.ts";
import type { AttributeProto, GraphProto, ModelProto } from "../../../src/formats/onnx/proto.ts";
import type { Random } from "../../../src/random.ts";

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

/** One of a list; undefined when it is empty. */
function maybe<T>(random: Random, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : pick(random, list);
}

type Bytes = (random: Random, file: Uint8Array, other: Uint8Array) => Uint8Array;

/** Sizes where something may overflow. */
const SIZES = [
  0,
  -1,
  1,
  2,
  3,
  7,
  255,
  65536,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 53),
];

function changed(file: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = file.slice();
  change(copy);
  return copy;
}

const BYTES: Readonly<Record<string, Bytes>> = {
  flip: (random, file) =>
    changed(file, (copy) => (copy[random.integer(copy.length)]! ^= 1 << random.integer(8))),
  overwrite: (random, file) =>
    changed(file, (copy) => (copy[random.integer(copy.length)] = pick(random, [0, 1, 127, 128, 255]))),
  truncate: (random, file) => file.slice(0, random.integer(file.length)),
  remove(random, file) {
    const at = random.integer(file.length);
    return Uint8Array.of(...file.slice(0, at), ...file.slice(at + 1 + random.integer(16)));
  },
  duplicate(random, file) {
    const at = random.integer(file.length);
    const end = at + 1 + random.integer(64);
    return Uint8Array.of(...file.slice(0, end), ...file.slice(at, end), ...file.slice(end));
  },
  splice(random, file, other) {
    const [at, from] = [random.integer(file.length), random.integer(other.length)];
    return Uint8Array.of(...file.slice(0, at), ...other.slice(from));
  },
  swap: (random, file) =>
    changed(file, (copy) => {
      const [a, b] = [random.integer(copy.length), random.integer(copy.length)];
      [copy[a], copy[b]] = [copy[b]!, copy[a]!];
    }),
};

type Messages = (random: Random, graph: GraphProto, model: ModelProto, other: GraphProto) => void;

const attributesOf = (graph: GraphProto): AttributeProto[] => graph.nodes.flatMap((node) => node.attributes);

/** Names that mean something to an object, and what is no name of a value in the file. */
const NAMES = ["__proto__", "constructor", "toString", "", "x:0/y.1", "\u0000", "nowhere"];

/** All names of values. */
function namesOf(graph: GraphProto): string[] {
  const { nodes, inputs, outputs, initializers } = graph;
  const named = [...inputs, ...outputs, ...initializers].map(({ name }) => name);
  return [...named, ...nodes.flatMap((node) => [...node.inputs, ...node.outputs])];
}

/** Calls a value otherwise, wherever it stands. */
function rename(graph: GraphProto, from: string, to: string): void {
  const other = (name: string): string => (name === from ? to : name);
  for (const each of [...graph.inputs, ...graph.outputs, ...graph.initializers]) each.name = other(each.name);
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(other);
    node.outputs = node.outputs.map(other);
  }
}

const MESSAGES: Readonly<Record<string, Messages>> = {
  dims(random, { inputs, initializers }) {
    const dims = maybe(random, [...inputs, ...initializers])?.dims;
    if (dims && dims.length > 0) dims[random.integer(dims.length)] = pick(random, SIZES);
  },
  rank(random, { inputs, initializers }) {
    const dims = maybe(random, [...inputs, ...initializers])?.dims;
    const more = pick(random, [1, 2, 100, 5000]);
    for (let i = 0; i < more; i++) dims?.push(1);
  },
  axes(random, { inputs }) {
    maybe(random, inputs)?.dims?.splice(random.integer(4), 1 + random.integer(2));
  },
  open(random, { inputs }) {
    const dims = maybe(random, inputs)?.dims;
    if (dims && dims.length > 0) dims[random.integer(dims.length)] = "n";
  },
  type(random, { inputs, initializers }) {
    if (random.integer(2)) for (const input of inputs) input.elementType = random.integer(17);
    else for (const tensor of initializers) tensor.dataType = random.integer(17);
  },
  elements(random, graph) {
    const tensors = [...graph.initializers, ...attributesOf(graph).flatMap(({ t }) => t ?? [])];
    const tensor = maybe(random, tensors);
    if (!tensor?.raw || tensor.raw.length < 8) return;
    tensor.raw = tensor.raw.slice();
    const view = new DataView(tensor.raw.buffer);
    if (tensor.dataType === 7) view.setBigInt64(0, BigInt(pick(random, SIZES)), true);
    else view.setFloat32(0, pick(random, [NaN, Infinity, -Infinity, -0, 1e38, 1e-45]), true);
  },
  ints(random, graph) {
    const attribute = maybe(random, attributesOf(graph));
    if (!attribute) return;
    if (attribute.i !== undefined) attribute.i = pick(random, SIZES);
    if (attribute.ints.length > 0)
      attribute.ints[random.integer(attribute.ints.length)] = pick(random, SIZES);
  },
  lengthOfInts(random, graph) {
    const ints = maybe(random, attributesOf(graph))?.ints;
    if (random.integer(2)) ints?.pop();
    else ints?.push(pick(random, SIZES));
  },
  floats(random, graph) {
    const attribute = maybe(random, attributesOf(graph));
    if (attribute?.f !== undefined) attribute.f = pick(random, [NaN, Infinity, -1, 0, 1e30]);
  },
  attributeType(random, graph) {
    const attribute = maybe(random, attributesOf(graph));
    if (attribute) attribute.type = random.integer(10);
  },
  attributeName(random, graph) {
    const attribute = maybe(random, attributesOf(graph));
    if (attribute) attribute.name = pick(random, [...NAMES, "axes", "axis", "value"]);
  },
  noAttribute(random, { nodes }) {
    maybe(random, nodes)?.attributes.splice(0, 1);
  },
  twoAttributes(random, { nodes }) {
    const node = maybe(random, nodes);
    node?.attributes.push(...node.attributes);
  },
  otherAttributes(random, { nodes }, _, other) {
    const [node, from] = [maybe(random, nodes), maybe(random, other.nodes)];
    if (node && from) node.attributes = from.attributes;
  },
  opset(random, _, model) {
    for (const opset of model.opsets) opset.version = pick(random, [0, 5, 6, 9, 11, 13, 18, 25, 26, 2 ** 31]);
  },
  operator(random, { nodes }, _, other) {
    const [node, from] = [maybe(random, nodes), maybe(random, other.nodes)];
    if (node && from) node.opType = from.opType;
  },
  operatorName(random, { nodes }) {
    const node = maybe(random, nodes);
    if (node) node.opType = pick(random, NAMES);
  },
  rename(random, graph) {
    rename(graph, pick(random, namesOf(graph)), pick(random, NAMES));
  },
  merge(random, graph) {
    rename(graph, pick(random, namesOf(graph)), pick(random, namesOf(graph)));
  },
  cycle(random, graph) {
    const node = maybe(random, graph.nodes);
    if (node) node.inputs[random.integer(node.inputs.length + 1)] = pick(random, namesOf(graph));
  },
  noInput(random, { nodes }) {
    const inputs = maybe(random, nodes)?.inputs;
    if (random.integer(2)) inputs?.pop();
    else if (inputs && inputs.length > 0) inputs[random.integer(inputs.length)] = "";
  },
  moreOutputs(random, { nodes }) {
    maybe(random, nodes)?.outputs.push(pick(random, ["more", "__proto__", ""]));
  },
  constantInput(random, graph) {
    const [input] = graph.inputs.splice(random.integer(graph.inputs.length + 1), 1);
    const [tensor] = graph.initializers;
    if (input && tensor) graph.initializers.push({ ...tensor, name: input.name });
  },
  computedConstant(random, graph) {
    const [tensor] = graph.initializers.splice(random.integer(graph.initializers.length + 1), 1);
    if (tensor) graph.inputs.push({ name: tensor.name, elementType: tensor.dataType, dims: tensor.dims });
  },
  append(random, graph, _, other) {
    const node = maybe(random, other.nodes);
    const from = pick(random, namesOf(graph));
    if (!node) return;
    graph.nodes.push({ ...node, inputs: node.inputs.map(() => from), outputs: ["appended"] });
    graph.outputs = [{ name: "appended", elementType: 1 }];
  },
};

const KINDS = [...Object.keys(BYTES), ...Object.keys(MESSAGES)];

/** A file made of `file`, and which damage it has. */
export function mutate(
  random: Random,
  file: Uint8Array,
  other: Uint8Array,
): { kinds: string[]; bytes: Uint8Array } {
  const kinds: string[] = [];
  let bytes = file;
  for (let count = 1 + random.integer(3); count > 0; count--) {
    const kind = pick(random, KINDS);
    kinds.push(kind);
    const ofBytes = BYTES[kind];
    if (ofBytes) {
      if (bytes.length > 0) bytes = ofBytes(random, bytes, other);
      continue;
    }
    let model: ModelProto;
    try {
      model = decodeModel(bytes);
    } catch {
      continue;
    }
    if (!model.graph || model.functions > 0 || model.graph.sparse > 0) continue;
    MESSAGES[kind]!(random, model.graph, model, decodeModel(other).graph!);
    if (
      attributesOf(model.graph).every(({ t }) => !t?.external) &&
      model.graph.initializers.every(({ external }) => !external)
    )
      bytes = encodeModel(model);
  }
  return { kinds, bytes };
}
