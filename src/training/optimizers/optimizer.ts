/** The contract of an optimizer, and the bounds on gradients that all of them take. */
import type { Flag } from "../../kernels/kernels.ts";
import { OptionError } from "../../errors.ts";
import { notNegative, readOptions, show, type Read, type Readers } from "../../options.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { checkRate, type LearningRate } from "./rate.ts";

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

function bound(where: string, value: unknown): number {
  const number = notNegative(where, value);
  if (number > 0) return number;
  throw new OptionError(`${where}: expected a number above 0, got ${show(value)}`);
}

/** The readers of these options. */
export const CLIP = { globalClipNorm: [bound], clipValue: [bound] } as const;

/** The bounds that options ask for, which were read. */
export function clipOf({ globalClipNorm, clipValue }: ClipOptions): Clip | undefined {
  if (globalClipNorm === undefined && clipValue === undefined) return undefined;
  return { norm: globalClipNorm ?? Infinity, value: clipValue ?? Infinity };
}

interface CommonOptions extends ClipOptions {
  learningRate?: LearningRate | undefined;
}

/**
 * Makes an optimizer from its options: those that all have and those that `readers` read. `rate` is the learning rate by
 * default. @throws OptionError
 */
export function optimizerOf<
  Options extends CommonOptions,
  const All extends Readers<Omit<Options, keyof CommonOptions>>,
>(
  type: string,
  options: Options,
  rate: number | undefined,
  readers: All,
  make: (config: Read<All>) => Pick<Optimizer, "slots" | "perWeight" | "start">,
): Optimizer {
  const learning = { learningRate: rate === undefined ? checkRate : ([checkRate, rate] as const) };
  const all = readOptions<object, Record<never, never>>(
    type,
    options,
    { ...learning, ...readers, ...CLIP },
    [],
  );
  const { learningRate, globalClipNorm, clipValue, ...config } = all as CommonOptions;
  return {
    type,
    learningRate: learningRate!,
    clip: clipOf({ globalClipNorm, clipValue }),
    config: config as Optimizer["config"],
    ...make(config as Read<All>),
  };
}
