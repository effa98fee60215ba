/**
 * The place of a run of `fit`: with the weights and the state of the trainer all that it takes to finish the call elsewhere
 * as if it had not been interrupted.
 */
import { OptionError } from "../errors.ts";
import { show, type Settled } from "../options.ts";
import type { EarlyStopping } from "./earlyStopping.ts";
import type { History } from "./history.ts";

/** What comes next, or is under way: in an epoch from `epoch` to `epochEnd`, after the last one the end of the run. */
export const PHASES = [
  "trainBegin",
  "epoch",
  "batches",
  "validation",
  "epochEnd",
  "finish",
  "trainEnd",
] as const;
export type Phase = (typeof PHASES)[number];

/** The options that the rest of a run depends on: they must be the same when it goes on. */
export interface RunOptions {
  readonly epochs: number;
  readonly initialEpoch: number;
  /** The number of images, or `"stream"`, whose batches have a size and an order of their own. */
  readonly images: number | "stream";
  readonly batchSize?: number | undefined;
  readonly shuffle?: boolean | undefined;
  /** Whether there is any. */
  readonly validationData: boolean;
  readonly earlyStopping?: Settled<EarlyStopping> | undefined;
  /** How many there are. */
  readonly callbacks: number;
}

/** An event of which some callbacks have heard. */
export interface Pending {
  readonly event: string;
  /** The index of the first callback that has not. */
  readonly next: number;
  /** What they are told, if there is one that is to hear of it. */
  readonly state?: unknown;
}

/** A run between two of its steps. The states of its parts are what these return, null for those that have none. */
export interface Place {
  readonly phase: Phase;
  /** The epoch, counted from 1, and the batches that are done in it. */
  readonly epoch: number;
  readonly batch: number;
  /** The steps of the model. */
  readonly step: number;
  /** Sums over the images of the epoch: their number, their losses, and the right rows. */
  readonly count: number;
  readonly lossSum: number;
  readonly correct: number;
  /** True when no further epoch follows. */
  readonly stopped: boolean;
  readonly history: History;
  readonly options: RunOptions;
  readonly event?: Pending | undefined;
  readonly callbacks: readonly unknown[];
  readonly earlyStopping?: unknown;
  readonly observer?: unknown;
}

/** @throws OptionError naming an option that is not as it was in the interrupted run */
export function expectSame(options: RunOptions, before: RunOptions): void {
  const [own, expected] = [options, before].map((each) => new Map<string, unknown>(Object.entries(each)));
  for (const name of new Set([...own!.keys(), ...expected!.keys()])) {
    const [given, asked] = [own!.get(name), expected!.get(name)];
    if (JSON.stringify(given) === JSON.stringify(asked)) continue;
    throw new OptionError(
      `fit: ${name}: expected ${show(asked)}, as in the interrupted run that the checkpoint holds, got ${show(given)}; ` +
        "resume: false begins a new run",
    );
  }
}
