/** The state of a recorder, which checkpoints hold. */
import { OptionError } from "../../errors.ts";
import { isCount, isPlainObject, pairOf, show } from "../../options.ts";
import type { TrainingReceipt } from "../../training/receipt.ts";
import { isTreeState, type TreeState } from "./sampleTree.ts";

/** The state at which a run began. */
export type RunStart = TrainingReceipt["start"];

/** The digests after the last batch: of the state, and of the weights as the model has them. */
export interface Last {
  readonly state: string;
  readonly weights: string;
}

export interface RecorderState {
  readonly start: RunStart;
  readonly rates: TrainingReceipt["rates"];
  readonly batches: number;
  readonly every: number;
  readonly digests: readonly string[];
  /** Present when the last batch is done. */
  readonly last?: Last;
  /** Present for a stream. */
  readonly samples?: TreeState;
}

const isDigest = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

const isRate = (value: unknown): boolean => {
  const pair = pairOf(value);
  return isCount(pair?.[0]) && typeof pair[1] === "number";
};

/** Checks what `state` returned, of a model at a step: it may come from a file. @throws OptionError */
export function readRecorderState(where: string, value: unknown, step: number): RecorderState {
  const { start, rates, batches, every, digests, last, samples } = (
    isPlainObject(value) ? value : {}
  ) as Partial<RecorderState>;
  const sound =
    isCount(start?.steps) &&
    isCount(start.epochs) &&
    isDigest(start.digest) &&
    start.steps <= step &&
    Array.isArray(rates) &&
    rates.every(isRate) &&
    isCount(batches) &&
    isCount(every) &&
    Array.isArray(digests) &&
    digests.every(isDigest) &&
    digests.length === (every === 0 ? 0 : Math.floor((step - start.steps) / every)) &&
    (last === undefined || (isDigest(last?.state) && isDigest(last.weights))) &&
    (samples === undefined || isTreeState(samples));
  if (sound) return value as RecorderState;
  throw new OptionError(`${where}: expected the state of a receipt at step ${step}, got ${show(value)}`);
}
