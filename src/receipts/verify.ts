import { OptionError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import {
  modelDigest,
  namesOf,
  refuseInexact,
  tensorDigests,
  type InferenceReceipt,
  type PredictingModel,
  type Tensors,
} from "./inference.ts";
import { readReceipt } from "./read.ts";
import type { Verification, VerifyTrainingOptions } from "./verification.ts";
import { verifyTraining } from "./verifyTraining.ts";

/** What `verifyReceipt` needs besides the receipt of an output. */
export interface VerifyInferenceOptions {
  /** The net, on an engine of exact math, and what it is fed. */
  readonly model: PredictingModel;
  readonly input: Tensors;
}

/** What came of predicting again. */
export type InferenceVerification = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const WHERE = "verifyReceipt";
const TRAINING_KEYS = [
  "engine",
  "images",
  "labels",
  "sampleWeight",
  "batches",
  "checkpoint",
  "from",
  "to",
  "optimizer",
  "loss",
  "signal",
  "onProgress",
];

/** The names whose digests differ, or that only one of the two has. */
function differing(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
}

async function verifyInference(
  receipt: InferenceReceipt,
  { model, input }: VerifyInferenceOptions,
): Promise<InferenceVerification> {
  refuseInexact(WHERE, model);
  const names = namesOf(model);
  if ((await modelDigest(WHERE, model)) !== receipt.model) {
    return { ok: false, reason: "the net is another, or has other weights" };
  }
  const inputs = differing(await tensorDigests(`${WHERE}: input`, input, names.inputs), receipt.inputs);
  if (inputs.length > 0) return { ok: false, reason: `the input is another: ${inputs.join(", ")}` };
  const output = (model as { predict(input: unknown): Tensors }).predict(input);
  const outputs = differing(await tensorDigests(`${WHERE}: output`, output, names.outputs), receipt.outputs);
  return outputs.length === 0
    ? { ok: true }
    : { ok: false, reason: `the output is another: ${outputs.join(", ")}` };
}

/**
 * Verifies a receipt, in any runtime and with any number of threads. One of a run is verified by running it again, all of it or from
 * a checkpoint on, and comparing the state at each link; one of an output by predicting again. The receipt is what `JSON.parse` returns
 * of it. A run that is another one is told as `{ ok: false }`; what cannot be verified is thrown.
 * @throws FormatError naming the field that no receipt has so, also when another version of the numerics made it; OptionError for data
 * or parts that are missing, steps that are not those of the run, and an engine of relaxed math; what `fit` throws; the signal's
 * reason when it is aborted
 */
export function verifyReceipt(
  receipt: InferenceReceipt,
  options: VerifyInferenceOptions,
): Promise<InferenceVerification>;
export function verifyReceipt(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
): Promise<Verification>;
export function verifyReceipt(
  receipt: unknown,
  options: VerifyTrainingOptions | VerifyInferenceOptions,
): Promise<Verification | InferenceVerification>;
export async function verifyReceipt(
  receipt: unknown,
  options: VerifyTrainingOptions | VerifyInferenceOptions,
): Promise<Verification | InferenceVerification> {
  const own = readReceipt(receipt);
  if (own.kind === "training") {
    checkOptions(WHERE, options, TRAINING_KEYS);
    return verifyTraining(own, options as VerifyTrainingOptions);
  }
  checkOptions(WHERE, options, ["model", "input"]);
  const { model, input } = options as VerifyInferenceOptions;
  if (typeof model?.predict === "function") return verifyInference(own, { model, input });
  throw new OptionError(`${WHERE}: model: expected the net of the receipt, got none`);
}
