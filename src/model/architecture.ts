/** The architecture of a model as JSON: what the metadata of its file hold. */
import { FormatError } from "../errors.ts";
import { isFileOrder, type ValueOrigin, type WeightOrigin } from "../layers/origin.ts";
import { isPlainObject, show } from "../options.ts";

/**
 * Versions of the architecture's JSON. Lists of layers are written in the first version, whose input has the name `""`, and
 * graphs in the second. Properties that only nets from files have need the third, which older packages refuse.
 */
export const LIST = 1;
export const GRAPH = 2;
export const IMPORTED = 3;

export interface StoredNode {
  type: string;
  name: string;
  /** The names of the nodes and inputs that it reads. */
  inputs: string[];
  config: object;
  /** What its value and its weights were in the ONNX file that they come from. */
  origin?: ValueOrigin;
  weightOrigins?: Record<string, WeightOrigin>;
  /** The name of the node whose layer this node uses again. */
  shares?: string;
  /** The names of weights that do not learn, although those of a new layer with these options would. */
  fixed?: string[];
  /** False for a frozen layer. Default: true. */
  trainable?: boolean;
  /** The factor of the learning rate for its weights. Default: 1. */
  learningRateMultiplier?: number;
}

export interface Architecture {
  version: number;
  seed: number;
  inputs: { name: string; shape: number[]; dtype?: "uint8"; origin?: ValueOrigin }[];
  nodes: StoredNode[];
  /** The names of the nodes whose outputs the model returns. */
  outputs: string[];
  /** The names of the outputs, where they differ from those of their nodes. */
  outputNames?: string[];
  /** The indices of the outputs that have a loss, unless all have one. */
  lossOutputs?: number[];
}

export function fail(expected: string, got: unknown): never {
  throw new FormatError(`loadModel: architecture: expected ${expected}, got ${show(got)}`);
}

function parseJson(text: string | undefined): Partial<Architecture> & { inputShape?: unknown } {
  if (text === undefined) fail("the architecture of an im2row model in the metadata", text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("JSON", text);
  }
  if (!isPlainObject(parsed)) fail("an object", parsed);
  return parsed;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isList = Array.isArray as (value: unknown) => value is unknown[];

/** Whether a value is a name that an ONNX file can have: there the empty one means that nothing is there. */
const isFileName = (value: unknown): boolean =>
  isText(value) && value !== "" && !/\p{Surrogate}/u.test(value);

const isOptionalName = (value: unknown): boolean => value === undefined || isFileName(value);

/** Whether a value is a list of axes in some order, each once. */
const areAxes = (value: unknown): value is number[] =>
  isList(value) && isFileOrder([...(value as number[])].sort((a, b) => a - b));

/** @throws FormatError unless it is absent, or tells of a value of a file */
function checkOrigin(origin: unknown): void {
  if (origin === undefined) return;
  const { name, node, images, order } = (origin ?? {}) as Partial<ValueOrigin>;
  const sound = isFileName(name) && isOptionalName(node) && isOptionalName(images) && areAxes(order);
  if (!sound) fail("an origin, { name, order }", origin);
}

/** @throws FormatError unless it is absent, or tells of tensors of a file by the names of weights */
function checkWeightOrigins(origins: unknown): void {
  if (origins === undefined) return;
  if (!isPlainObject(origins)) fail("origins of weights", origins);
  for (const origin of Object.values(origins)) {
    const { name, shape, order } = (origin ?? {}) as Partial<WeightOrigin>;
    const sound =
      isFileName(name) &&
      areAxes(order) &&
      isList(shape) &&
      shape.length === order.length &&
      shape.every(isSize);
    if (!sound) fail("an origin, { name, shape, order }", origin);
  }
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

function checkNodes(nodes: unknown): asserts nodes is StoredNode[] {
  if (!isList(nodes) || nodes.length === 0) fail("a list of nodes", nodes);
  for (const node of nodes as Partial<StoredNode>[]) {
    const sound =
      isText(node?.type) &&
      isText(node.name) &&
      isList(node.inputs) &&
      typeof node.config === "object" &&
      (node.shares === undefined || isText(node.shares)) &&
      (node.fixed === undefined || (isList(node.fixed) && node.fixed.every(isText))) &&
      (node.trainable === undefined || typeof node.trainable === "boolean") &&
      (node.learningRateMultiplier === undefined || Number.isFinite(node.learningRateMultiplier));
    if (!sound) fail("nodes of { type, name, inputs, config }", node);
    checkOrigin(node.origin);
    checkWeightOrigins(node.weightOrigins);
  }
}

/** @throws FormatError unless the names and the indices of losses, if present, fit `count` outputs */
function checkOutputs(count: number, names: unknown, losses: unknown): void {
  const sound =
    names === undefined || (isList(names) && names.every(isText) && new Set(names).size === count);
  if (!sound || (names as string[] | undefined)?.length !== (names && count))
    fail(`${count} names of outputs`, names);
  const isNextIndex = (index: unknown, i: number): boolean =>
    Number.isSafeInteger(index) &&
    (index as number) < count &&
    (index as number) > (i === 0 ? -1 : (losses as number[])[i - 1]!);
  if (losses !== undefined && !(isList(losses) && losses.every(isNextIndex)))
    fail("indices of outputs in ascending order", losses);
}

/** Reads the architecture from its JSON. @throws FormatError */
export function parseArchitecture(text: string | undefined): Architecture {
  const parsed = parseJson(text);
  const { version, seed, inputShape, nodes } = parsed;
  if (version !== LIST && version !== GRAPH && version !== IMPORTED)
    fail(`version ${LIST}, ${GRAPH} or ${IMPORTED}`, version);
  if (!Number.isSafeInteger(seed) || seed! < 0) fail("a seed, an integer ≥ 0", seed);
  if (version === LIST && !isList(inputShape)) fail("an inputShape", inputShape);
  checkNodes(nodes);
  if (version === LIST) {
    const inputs = [{ name: "", shape: inputShape as number[] }];
    return { version, seed: seed!, inputs, nodes, outputs: [nodes.at(-1)!.name] };
  }
  const { inputs, outputs, outputNames, lossOutputs } = parsed;
  const soundInputs =
    isList(inputs) &&
    inputs.every(
      (input) =>
        isText(input?.name) &&
        isList(input.shape) &&
        (input.dtype === undefined || (input.dtype as string) === "uint8"),
    );
  if (!soundInputs || inputs.length === 0) fail("a list of inputs, { name, shape }", inputs);
  for (const { origin } of inputs) checkOrigin(origin);
  if (!isList(outputs) || outputs.length === 0) fail("a list of outputs", outputs);
  checkOutputs(outputs.length, outputNames, lossOutputs);
  const optional = { ...(outputNames && { outputNames }), ...(lossOutputs && { lossOutputs }) };
  return { version, seed: seed!, inputs, nodes, outputs, ...optional };
}
