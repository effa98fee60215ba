/** Receipts of single outputs. */
import { OptionError } from "../errors.ts";
import { architectureText } from "../model/checkpoint.ts";
import type { InferenceModel } from "../model/inferenceModel.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { isPlainObject, show, typedName } from "../options.ts";
import type { ReceiptHeader } from "../training/receipt.ts";
import { canonical } from "./record/canonical.ts";
import { HEADER } from "./record/header.ts";
import { bytesIn, bytesToHex, digestOf, textDigest } from "./record/sha256.ts";
import { entriesOf } from "./record/stateDigest.ts";

/** The receipt of one output of a net. Digests are SHA-256 in hexadecimal digits; docs/receipts.md says of what. */
export interface InferenceReceipt extends ReceiptHeader {
  readonly kind: "inference";
  /** The net with its weights. */
  readonly model: string;
  /** The tensors that it was fed, and those that it returned, by name. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** A net with `predict`: one of layers, or of an ONNX file. */
export type PredictingModel = InferenceModel | OnnxModel;

/** A tensor of any type of numbers. */
export interface AnyTensor {
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

/** What `predict` takes or returns: a tensor, or tensors by name. */
export type Tensors = AnyTensor | Readonly<Record<string, AnyTensor>>;

const isTensor = (value: unknown): value is AnyTensor =>
  isPlainObject(value) && Array.isArray(value["shape"]) && ArrayBuffer.isView(value["data"]);

/** Tensors by name; one alone has the only name. @throws OptionError */
function byName(where: string, tensors: Tensors, names: readonly string[]): Record<string, AnyTensor> {
  if (isTensor(tensors)) {
    if (names.length === 1) return { [names[0]!]: tensors };
    throw new OptionError(`${where}: expected tensors by name, ${names.join(", ")}, got one tensor`);
  }
  const fits = isPlainObject(tensors) && Object.values(tensors).every(isTensor);
  if (!fits) throw new OptionError(`${where}: expected a tensor, or tensors by name, got ${show(tensors)}`);
  return tensors;
}

/** By name the digest of the canonical JSON of `[class of the array, shape, SHA-256 of the numbers]`, little endian. */
export async function tensorDigests(
  where: string,
  tensors: Tensors,
  names: readonly string[],
): Promise<Record<string, string>> {
  const entries = Object.entries(byName(where, tensors, names)).map(async ([name, { shape, data }]) => {
    const numbers = bytesToHex(await digestOf(bytesIn(data).slice()));
    return [name, bytesToHex(textDigest(canonical([typedName(data), shape, numbers])))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The names of what a net takes and returns. */
export function namesOf(model: PredictingModel): { readonly inputs: string[]; readonly outputs: string[] } {
  if ("toOnnx" in model && "inputNames" in model) {
    return { inputs: model.inputNames, outputs: model.outputNames };
  }
  const [inputs, outputs] = [model.inputs, (model as InferenceModel).outputs];
  return { inputs: inputs.map(({ name }) => name), outputs: outputs.map(({ name }) => name) };
}

/**
 * The digest of a net: of the canonical JSON of `["im2row model", architecture, entries]`, whose entries are those of `weights` in a
 * state; of a net from an ONNX file that of the file that `toOnnx` writes.
 */
export async function modelDigest(where: string, model: PredictingModel): Promise<string> {
  if ("inputNames" in model) return bytesToHex(await digestOf(model.toOnnx()));
  const { graph, weights } = model as InferenceModel & { readonly graph: never };
  const { seed: _, ...architecture } = JSON.parse(architectureText(where, graph, 0)) as { seed: number };
  const entries = await entriesOf("weight", weights);
  return bytesToHex(textDigest(canonical(["im2row model", architecture, entries])));
}

/** @throws OptionError unless the net is on an engine of exact math */
export function refuseInexact(where: string, { math }: PredictingModel): void {
  if (math === "exact") return;
  throw new OptionError(
    `${where}: expected a net on an engine of exact math, which has the same bits everywhere, got ${math ?? "none"}`,
  );
}

/**
 * The receipt of an output of `predict`: that `model` makes `output` of `input`. Nothing is computed again; `verifyReceipt` does.
 * @throws OptionError on an engine of relaxed math, and for a layer that a file could not hold
 */
export async function receiptOf(
  model: PredictingModel,
  input: Tensors,
  output: Tensors,
): Promise<InferenceReceipt> {
  const where = "receiptOf";
  refuseInexact(where, model);
  const names = namesOf(model);
  return {
    ...HEADER,
    kind: "inference",
    model: await modelDigest(where, model),
    inputs: await tensorDigests(`${where}: input`, input, names.inputs),
    outputs: await tensorDigests(`${where}: output`, output, names.outputs),
  };
}
