/** The architecture of a model as JSON: what the metadata of its file hold. */
import { FormatError } from "../errors.ts";
import { show } from "../options.ts";

/**
 * Versions of the architecture's JSON. Lists of layers are written as the first, whose input is called `""`, graphs as the
 * second; what only nets from files have makes a third, which older packages refuse.
 */
export const LIST = 1;
export const GRAPH = 2;
export const IMPORTED = 3;

export interface StoredNode {
  type: string;
  name: string;
  /** Names of the nodes and inputs it reads. */
  inputs: string[];
  config: object;
  /** The node whose layer this one uses again. */
  shares?: string;
  /** Weights that do not learn though those of such a layer do. */
  fixed?: string[];
  /** Absent for true. */
  trainable?: boolean;
}

export interface Architecture {
  version: number;
  seed: number;
  inputs: { name: string; shape: number[] }[];
  nodes: StoredNode[];
  /** Names of the nodes that the model returns. */
  outputs: string[];
  /** The names of the outputs, where they differ from those of their nodes. */
  outputNames?: string[];
  /** Places among the outputs of those that have a loss, where not all have. */
  lossOutputs?: number[];
}

export function fail(expected: string, given: unknown): never {
  throw new FormatError(`loadModel: architecture: expected ${expected}, got ${show(given)}`);
}

function parseJson(text: string | undefined): Partial<Architecture> & { inputShape?: unknown } {
  if (text === undefined) fail("the architecture of an im2row model in the metadata", text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("JSON", text);
  }
  if (typeof parsed !== "object" || parsed === null) fail("an object", parsed);
  return parsed;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isList = Array.isArray as (value: unknown) => value is unknown[];

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
      (node.trainable === undefined || typeof node.trainable === "boolean");
    if (!sound) fail("nodes of { type, name, inputs, config }", node);
  }
}

/** @throws FormatError unless names and losses are those of `count` outputs, as far as they are there */
function checkRoles(count: number, names: unknown, losses: unknown): void {
  const sound =
    names === undefined || (isList(names) && names.every(isText) && new Set(names).size === count);
  if (!sound || (names as string[] | undefined)?.length !== (names && count))
    fail(`${count} names of outputs`, names);
  const isPlace = (place: unknown, i: number): boolean =>
    Number.isSafeInteger(place) &&
    (place as number) < count &&
    (place as number) > (i === 0 ? -1 : (losses as number[])[i - 1]!);
  if (losses !== undefined && !(isList(losses) && losses.every(isPlace)))
    fail("places of outputs in order", losses);
}

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
  const soundInputs = isList(inputs) && inputs.every((input) => isText(input?.name) && isList(input.shape));
  if (!soundInputs || inputs.length === 0) fail("a list of inputs, { name, shape }", inputs);
  if (!isList(outputs) || outputs.length === 0) fail("a list of outputs", outputs);
  checkRoles(outputs.length, outputNames, lossOutputs);
  const roles = { ...(outputNames && { outputNames }), ...(lossOutputs && { lossOutputs }) };
  return { version, seed: seed!, inputs, nodes, outputs, ...roles };
}
