import { OptionError } from "../errors.ts";
import { checkOptions, isCount, show } from "../options.ts";
import type { Accumulated } from "./accumulation.ts";
import type { Averages } from "./averages.ts";
import type { Slots } from "./update.ts";

/**
 * All that a run of training needs to go on bit for bit, besides the weights, the data and the options of `compile`.
 */
export interface TrainingState {
  /** Names the random draws of the run: the order of each epoch and the masks of dropout. */
  readonly seed: number;
  /** The steps and the epochs that are done. */
  readonly steps: number;
  readonly epochs: number;
  /** The type of the optimizer, and its slots. */
  readonly optimizer: string;
  readonly slots: Slots;
  /** The learning rate, if another was set than the optimizer's. */
  readonly learningRate?: number | undefined;
  /** The gradients that wait for those of other batches, if any do. */
  readonly accumulated?: Accumulated | undefined;
  /** The moving averages of the weights, if there are any. */
  readonly averages?: Averages | undefined;
}

/** The options of a run besides its optimizer. */
export interface TrainerOptions {
  /** The batches whose gradients make one step. Default: 1. */
  readonly accumulationSteps?: number | undefined;
  /** The momentum of the weights' moving averages. Default: no averages. */
  readonly emaMomentum?: number | undefined;
}

const KEYS = [
  "seed",
  "steps",
  "epochs",
  "optimizer",
  "slots",
  "learningRate",
  "accumulated",
  "averages",
] as const;

/** The most steps of a run: random draws know a step by a word of 32 bits. */
const MOST_STEPS = 2 ** 32 - 1;

/** @throws OptionError unless a state is one of a run with this seed and this type of optimizer, as far as it stands at its top */
export function checkState(where: string, state: TrainingState, seed: number, type: string): void {
  checkOptions(where, state, KEYS);
  if (state.seed !== seed) {
    throw new OptionError(`${where}: seed: expected the model's, ${seed}, got ${show(state.seed)}`);
  }
  if (state.optimizer !== type) {
    throw new OptionError(`${where}: optimizer: expected the state of ${type}, got ${show(state.optimizer)}`);
  }
  for (const name of ["steps", "epochs"] as const) {
    const count = state[name];
    if (!(isCount(count) && count <= MOST_STEPS)) {
      throw new OptionError(
        `${where}: ${name}: expected an integer from 0 to ${MOST_STEPS}, got ${show(count)}`,
      );
    }
  }
}

/** A part of a state, checked by what keeps it. @throws OptionError when nothing does; what `check` throws */
export function checkPart<Name extends "accumulated" | "averages", Part = NonNullable<TrainingState[Name]>>(
  where: string,
  name: Name,
  state: TrainingState,
  keeper: { check(where: string, part: Part): Part } | undefined,
): Part | undefined {
  const value = state[name] as Part | undefined;
  if (value === undefined) return undefined;
  if (keeper) return keeper.check(`${where}: ${name}`, value);
  throw new OptionError(`${where}: ${name}: expected none, as compile asked for none, got some`);
}
