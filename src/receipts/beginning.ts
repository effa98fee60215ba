/** Makes the model of a receipt again, at the step from which it is verified. */
import { FormatError, OptionError, ShapeError } from "../errors.ts";
import type { Named } from "../graph/namedTensors.ts";
import { architectureText, decodeCheckpoint } from "../model/checkpoint.ts";
import { Model } from "../model/model.ts";
import { takeTraining, type TrainingRecord } from "../model/trainingRecord.ts";
import { isCount, show } from "../options.ts";
import type { CompileOptions } from "../training/compile.ts";
import type { Loss } from "../training/losses/loss.ts";
import type { CompileDescription, TrainingReceipt } from "../training/receipt.ts";
import { Mismatch } from "./comparison.ts";
import { canonical } from "./record/canonical.ts";
import { remakeGraph, remakeLoss, remakeOptimizer } from "./restore.ts";
import type { VerifyTrainingOptions } from "./verification.ts";

const WHERE = "verifyReceipt";

/** A part that the receipt describes, or that of a user, who passes it when the receipt needs it. @throws OptionError, FormatError */
function partOf<Part>(name: string, needed: boolean, passed: Part | undefined, make: () => Part): Part {
  if (needed === (passed !== undefined)) return passed ?? make();
  throw new OptionError(
    needed
      ? `${WHERE}: ${name}: expected that of the run, which no receipt can describe, got none`
      : `${WHERE}: ${name}: expected none, as the receipt describes it, got ${show(passed)}`,
  );
}

export function compileOptions(
  { compile, needs }: TrainingReceipt,
  { engine, optimizer, loss }: VerifyTrainingOptions,
): CompileOptions {
  const { algorithm, gradientAccumulationSteps, emaMomentum } = compile;
  const own: CompileOptions = {
    engine,
    optimizer: partOf("optimizer", needs.includes("optimizer"), optimizer, () =>
      remakeOptimizer("compile: optimizer", compile.optimizer),
    ),
    loss: partOf<Loss | Named<Loss>>("loss", needs.includes("loss"), loss, () => lossesOf(compile)),
    algorithm: algorithm as NonNullable<CompileOptions["algorithm"]>,
    gradientAccumulationSteps,
    ...(emaMomentum !== undefined && { useEma: true, emaMomentum }),
  };
  const { type } = own.optimizer!;
  if (type === compile.optimizer.type) return own;
  throw new OptionError(`${WHERE}: optimizer: expected ${compile.optimizer.type}, got ${type}`);
}

function lossesOf({ loss }: CompileDescription): Named<Loss> {
  const losses = Object.entries(loss).map(
    ([name, each]) => [name, remakeLoss(`compile: loss: ${name}`, each)] as const,
  );
  return Object.fromEntries(losses);
}

/**
 * The state of training in a checkpoint, at the place from which the run is verified: without callbacks and validation, on which no
 * step depends. @throws Mismatch
 */
function ownRecord({ options }: TrainingReceipt, { state, place }: TrainingRecord): TrainingRecord {
  if (!place) return { state };
  const { epochs, initialEpoch = 0, batchSize, shuffle } = options;
  const own = { epochs, initialEpoch, batchSize, shuffle };
  for (const [name, value] of Object.entries(own)) {
    if (place.options[name as keyof typeof own] === value) continue;
    throw new Mismatch(`the checkpoint is of a run with another option ${name}`, [state.steps, state.steps]);
  }
  const { images } = place.options;
  const begins = { batch: 0, count: 0, lossSum: 0, correct: 0 };
  const { epoch, batch, count, lossSum, correct, step, history } = place;
  // Behind the last batch of an epoch is the beginning of the next one.
  const isOver = place.phase === "validation" || place.phase === "epochEnd";
  const at = isOver && epoch < epochs ? epoch + 1 : epoch;
  const isLast = place.phase === "finish" || place.phase === "trainEnd" || (isOver && epoch === epochs);
  const inEpoch = place.phase === "batches";
  return {
    state,
    place: {
      phase: isLast ? "finish" : inEpoch ? "batches" : "epoch",
      epoch: at,
      step,
      ...(inEpoch ? { batch, count, lossSum, correct } : begins),
      stopped: false,
      history,
      options: { ...own, images, validationData: false, callbacks: 1 },
      callbacks: [null, null],
    },
  };
}

/** A model that is not compiled yet, and the batches of the run that were trained on before; undefined if nobody knows. */
export interface Beginning {
  readonly model: Model;
  /** Whether a place in the run is known to the model. */
  readonly isPlaced: boolean;
  readonly batches: number | undefined;
}

/** The model at the start of what is verified. @throws FormatError, Mismatch */
export function modelOf(receipt: TrainingReceipt, checkpoint: Uint8Array | undefined): Beginning {
  const { architecture, start, steps } = receipt;
  const { graph, seed } = remakeGraph(architecture);
  if (checkpoint === undefined) return { model: new Model(graph, seed), isPlaced: false, batches: 0 };
  const file = decodeCheckpoint(checkpoint, takeTraining);
  if (canonical(JSON.parse(architectureText(WHERE, file.graph, file.seed))) !== canonical(architecture)) {
    throw new Mismatch("the checkpoint has another architecture than the receipt", [start.steps, steps]);
  }
  const training = file.training && ownRecord(receipt, file.training);
  const model = new Model(file.graph, file.seed, file.weights, undefined, training);
  const known = (file.training?.place?.observer as { batches?: unknown } | undefined)?.batches;
  const isBefore = file.training === undefined || file.training.state.steps === start.steps;
  const batches = isCount(known) ? known : isBefore ? 0 : undefined;
  return { model, isPlaced: training?.place !== undefined, batches };
}

/** Compiles it. @throws FormatError when the receipt tells of what does not fit */
export function compileModel(model: Model, options: CompileOptions): void {
  try {
    model.compile(options);
  } catch (cause) {
    if (!(cause instanceof OptionError || cause instanceof ShapeError)) throw cause;
    throw new FormatError(`${WHERE}: ${cause.message}`, { cause });
  }
}
