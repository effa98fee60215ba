/** Damage to what the messages of an ONNX file say. */
import { decodeModel } from "../../src/onnx/file/decode.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";
import type { AttributeProto, GraphProto, ModelProto } from "../../src/onnx/file/proto.ts";
import type { Random } from "../../src/random.ts";
import { maybe, NAMES, pick, SIZES } from "./reader.ts";

type Messages = (random: Random, graph: GraphProto, model: ModelProto, other: GraphProto) => void;

const attributesOf = (graph: GraphProto): AttributeProto[] => graph.nodes.flatMap((node) => node.attributes);

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

const MESSAGES: readonly Messages[] = Object.values<Messages>({
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
});

/** The file with one such change; as it was when it is no model, or has parts that would be lost. */
export function damageModel(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array {
  let model: ModelProto;
  try {
    model = decodeModel(file);
  } catch {
    return file;
  }
  const { graph } = model;
  if (!graph || model.functions > 0 || graph.sparse > 0) return file;
  pick(random, MESSAGES)(random, graph, model, decodeModel(other).graph!);
  const external =
    attributesOf(graph).some(({ t }) => t?.external) || graph.initializers.some((tensor) => tensor.external);
  return external ? file : encodeModel(model);
}
