/** The contract of an optimizer, and the bounds on gradients that all of them take. */
import type { Flag } from "../../kernels/kernels.ts";
import { OptionError } from "../../errors.ts";
import { numberIn, show } from "../../options.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { LearningRate } from "./rate.ts";

/** An optimizer's work for one model. All that it remembers from step to step lies in its slots. */
export interface OptimizerRun {
  /**
   * Makes ready for step `step`, counted from 0. Steps come in ascending order: a step that failed may begin again, and a
   * run that is taken up begins with the step at which it was left.
   */
  begin?(step: number): void;
  /**
   * Computes the step that began on `n` weights at the address `w` with gradients at `g` and the learning rate `rate`. `slots`
   * holds the addresses of as many numbers in each slot. Stores the new weights and slots only with `commit`, before which
   * it is called without, for all weights; returns whether all of them are finite.
   */
  step(
    runtime: Runtime,
    w: number,
    g: number,
    slots: readonly number[],
    n: number,
    rate: number,
    commit: Flag,
  ): boolean;
}

/** The bounds on the gradients of a step. */
export interface Clip {
  /** The most that the root of the sum of all squares may be; larger gradients are scaled down to it. */
  readonly norm: number;
  /** The most that the absolute value of each number may be, after that. */
  readonly value: number;
}

/** An optimizer: its settings, with which each model starts a run of its own. */
export interface Optimizer {
  /** The name of its factory, for messages and for the state of a run. */
  readonly type: string;
  readonly learningRate: LearningRate;
  /** The names of its slots: buffers as large as the weights, which are zero at the start. */
  readonly slots: readonly string[];
  /** Absent when there are no bounds. */
  readonly clip: Clip | undefined;
  /**
   * The options with their defaults, besides the learning rate and the bounds, from which the factory of `optimizers` makes the
   * same again. Absent in those of users.
   */
  readonly config?: Readonly<Record<string, number | boolean>> | undefined;
  /**
   * True when the step of a weight depends on all of its numbers: a run's `step` is then called for each weight by itself.
   * Otherwise one call may step several weights that lie together.
   */
  readonly perWeight?: boolean;
  start(): OptimizerRun;
}

export interface ClipOptions {
  /** Scales all gradients down together when the root of the sum of their squares is larger. Default: no bound. */
  globalClipNorm?: number | undefined;
  /** Cuts each number of a gradient to ± this. Default: no bound. */
  clipValue?: number | undefined;
}

/** The names of the options that `clipOf` reads. */
export const CLIP_KEYS = ["globalClipNorm", "clipValue"] as const;

/** The bounds that options ask for. @throws OptionError unless they are numbers above 0 */
export function clipOf(type: string, { globalClipNorm, clipValue }: ClipOptions): Clip | undefined {
  if (globalClipNorm === undefined && clipValue === undefined) return undefined;
  const bound = (name: string, value: number | undefined): number => {
    if (value === undefined) return Infinity;
    if (numberIn(`${type}: ${name}`, value, 0) > 0) return value;
    throw new OptionError(`${type}: ${name}: expected a number above 0, got ${show(value)}`);
  };
  return { norm: bound("globalClipNorm", globalClipNorm), value: bound("clipValue", clipValue) };
}
