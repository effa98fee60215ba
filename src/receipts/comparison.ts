/** Compares a run with its receipt. */
import { OptionError } from "../errors.ts";
import { isCount, show } from "../options.ts";
import type { Callback } from "../training/callbacks/callback.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import type { RecorderOptions } from "./record/recorder.ts";
import { weightsDigest } from "./record/stateDigest.ts";
import type { VerifyTrainingOptions } from "./verification.ts";

const WHERE = "verifyReceipt";

/** Ends a run that is not that of the receipt. */
export class Mismatch extends Error {
  readonly between: readonly [number, number];

  constructor(reason: string, between: readonly [number, number]) {
    super(reason);
    this.between = between;
  }
}

/** Sets the learning rates that callbacks of a run had set. */
export function ratesOf({ rates }: TrainingReceipt): NonNullable<Callback["onBatchBegin"]> {
  return ({ step }, model) => {
    const rate = rates.findLast(([first]) => first <= step + 1)?.[1];
    if (rate !== undefined) model.learningRate = rate;
  };
}

/** Compares a run, or a part of it, with its receipt while it goes on. */
export class Comparison {
  readonly #receipt: TrainingReceipt;
  /** The steps done before, and those at which it ends: a link, or the end of the run. */
  readonly before: number;
  readonly end: number;
  /** The last step whose state agrees, and the digest of that state. */
  verified: number;
  digest = "";
  /** The batches that were trained on so far; undefined if nobody knows. */
  #batches: number | undefined;
  /** Whether it is compared from its first batch on. */
  readonly #isWhole: boolean;
  readonly #isBetween: boolean;
  /** The digest of the weights at the end of the epoch whose weights were restored. */
  #restored: string | undefined;

  /**
   * Compares from the step behind `before`, where `batches` were trained on. `isBetween` says that gradients wait there, which no
   * link knows. @throws OptionError for steps that are not those of the run
   */
  constructor(
    receipt: TrainingReceipt,
    before: number,
    batches: number | undefined,
    isBetween: boolean,
    { from, to }: Pick<VerifyTrainingOptions, "from" | "to">,
  ) {
    const { start, steps, links } = receipt;
    this.#receipt = receipt;
    this.#batches = batches;
    this.#isWhole = batches === 0;
    this.#isBetween = isBetween;
    this.before = this.verified = before;
    if (before < start.steps || (before >= steps && before > start.steps)) {
      throw new OptionError(
        `${WHERE}: checkpoint: expected one of step ${start.steps} to ${steps - 1} of the run, got one of step ${before}`,
      );
    }
    if (from !== undefined && from !== before + 1) {
      throw new OptionError(
        `${WHERE}: from: expected ${before + 1}, the step after the checkpoint, got ${show(from)}`,
      );
    }
    if (to !== undefined && !(isCount(to) && to > before && to <= steps)) {
      throw new OptionError(`${WHERE}: to: expected a step from ${before + 1} to ${steps}, got ${show(to)}`);
    }
    const link = start.steps + Math.ceil(((to ?? steps) - start.steps) / links.every) * links.every;
    this.end = Math.min(link, steps);
    if (to === undefined) this.end = steps;
  }

  /** What the run is watched by. */
  get recording(): RecorderOptions {
    const { start, links } = this.#receipt;
    return {
      origin: start,
      every: links.every,
      onBegin: (digest, root) => this.#begin(digest, root),
      onLink: (step, digest) =>
        this.#compare(step, digest, links.digests[(step - start.steps) / links.every - 1]),
    };
  }

  /** The state at the beginning and the data. */
  async #begin(digest: string, root: Promise<string> | undefined): Promise<void> {
    const { start, links, data } = this.#receipt;
    const done = this.before - start.steps;
    const next = Math.min(this.before + links.every, this.#receipt.steps);
    const link = this.#isBetween ? undefined : links.digests[done / links.every - 1];
    const known = this.#isWhole ? start.digest : link;
    if (known !== undefined && known !== digest) {
      const reason = this.#isWhole
        ? "the state at the start is another: one that does not follow from the seed takes a checkpoint"
        : `the checkpoint is not the state after step ${this.before}`;
      throw new Mismatch(reason, [this.before, this.before]);
    }
    this.digest = digest;
    if (root && (await root) !== data.root) {
      throw new Mismatch("the samples are others: their tree has another root", [this.before, next]);
    }
  }

  #compare(step: number, digest: string, known: string | undefined): void {
    if (digest !== known) {
      const reason = `the states part between step ${this.verified} and step ${step}`;
      throw new Mismatch(reason, [this.verified, step]);
    }
    this.verified = step;
    this.digest = digest;
  }

  /** Sets the rates that the run was given, and ends it where it ended. */
  callback(onProgress: VerifyTrainingOptions["onProgress"]): Callback {
    const { batches, steps, weights } = this.#receipt;
    return {
      onBatchBegin: ratesOf(this.#receipt),
      onBatchEnd: async ({ step }) => {
        if (this.#batches !== undefined) this.#batches++;
        await onProgress?.({ step, steps: this.end });
        const isKnown = this.end === steps && this.#batches !== undefined;
        return (isKnown ? this.#batches === batches : step === this.end) ? "stop" : undefined;
      },
      onEpochEnd: async ({ epoch }, model) => {
        if (epoch === weights.epoch) this.#restored = await weightsDigest(model.weights);
      },
    };
  }

  /** Compares what the run left. */
  finish(own: TrainingReceipt): void {
    const { steps, batches, digest, data, weights, start } = this.#receipt;
    const between = [this.verified, this.end] as const;
    if (own.steps !== this.end) {
      throw new Mismatch(`the data end after step ${own.steps}, and the run after ${steps}`, between);
    }
    if (this.end < steps) return;
    this.#compare(steps, own.digest, digest);
    if (this.#isWhole && (own.data.root !== data.root || own.data.samples !== data.samples)) {
      throw new Mismatch("the samples are others: their tree has another root", [start.steps, steps]);
    }
    if (this.#isWhole && own.batches !== batches) {
      throw new Mismatch(`the run has ${own.batches} batches, and the receipt ${batches}`, between);
    }
    const left = weights.epoch === undefined ? own.weights.digest : this.#restored;
    if (left !== weights.digest && (left !== undefined || this.#isWhole)) {
      throw new Mismatch("the weights that the run left are others", between);
    }
  }
}
