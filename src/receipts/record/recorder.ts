/** Writes the receipt of a run of `fit` while it goes on. */
import binary from "../../../build/wasm.sha256.js";
import { OptionError } from "../../errors.ts";
import type { Parameters } from "../../graph/parameters.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { TrainingBatch } from "../../training/batch.ts";
import type { Compiled } from "../../training/compile.ts";
import type { FitObserver } from "../../training/fit.ts";
import type { FitSettings } from "../../training/fitOptions.ts";
import type { History } from "../../training/history.ts";
import type { TrainingReceipt } from "../../training/receipt.ts";
import type { Trainer } from "../../training/trainer.ts";
import { NUMERICS, VERSION } from "../../version.ts";
import { chainOf } from "./chain.ts";
import { describeCompile, describeFit, needsOf } from "./describe.ts";
import { defaultEvery, Links } from "./links.ts";
import { SampleTree, type Samples } from "./sampleTree.ts";
import { stateDigest, weightsDigest } from "./stateDigest.ts";

/** A run of `fit`, as its receipt tells of it. */
export interface RecordedRun {
  readonly runtime: Runtime;
  /** The layers and the seed, as the JSON of a model file. */
  readonly architecture: Readonly<Record<string, unknown>>;
  readonly parameters: Parameters;
  readonly trainer: Trainer;
  readonly compiled: Compiled;
  readonly settings: FitSettings;
  /** The samples, unless they come as a stream. */
  readonly held: Samples | undefined;
}

/** What every receipt begins with. */
export const HEADER = {
  format: "im2row receipt",
  version: 1,
  numerics: NUMERICS,
  package: VERSION,
  binary,
} as const;

/** @throws OptionError on an engine of relaxed math */
export function refuseRelaxed(where: string, { capabilities: { math } }: Runtime): void {
  if (math === "exact") return;
  throw new OptionError(
    `${where}: expected an engine of exact math, which has the same bits everywhere, got ${math}`,
  );
}

/** The state at which a run began. */
export type RunStart = TrainingReceipt["start"];

/** How `fit` writes a receipt, and how `verifyReceipt` compares a run with one while it goes on. */
export interface RecorderOptions {
  /** The steps from one link to the next. Default: by sizes. */
  readonly every?: number | undefined;
  /** Where the run began, of which this call does a later part. Default: here. */
  readonly origin?: RunStart | undefined;
  /** Called with the digest of the state before the first batch. What is thrown ends the run. */
  onBegin?(digest: string, root: Promise<string> | undefined): void | Promise<void>;
  /** Called with each link. What is thrown ends the run. */
  onLink?(step: number, digest: string): void;
}

export class Recorder implements FitObserver {
  readonly #run: RecordedRun;
  readonly #options: RecorderOptions;
  readonly #links: Links;
  readonly #tree = new SampleTree();
  readonly #rates: [step: number, rate: number][] = [];
  #start: RunStart = { steps: 0, epochs: 0, digest: "" };
  /** The root over samples that are held. */
  #root: Promise<string> | undefined;
  #batches = 0;
  #steps = 0;
  /** The number of times that the weights had been replaced when the run began. */
  #replaced = 0;
  #milliseconds = 0;

  /** @throws OptionError for a run that cannot be the same everywhere */
  constructor(run: RecordedRun, options: RecorderOptions) {
    refuseRelaxed("fit: receipt", run.runtime);
    this.#run = run;
    this.#options = options;
    this.#links = new Links(options.every ?? 0);
  }

  begin(): Promise<void> {
    return this.#timed(async () => {
      const { trainer, parameters, held, settings } = this.#run;
      const { steps, epochs } = trainer;
      this.#steps = steps;
      this.#replaced = parameters.replaced;
      if (held) this.#chooseEvery(Math.min(settings.batchSize, held.count));
      this.#root = held && this.#hashed(held);
      const digest = await this.#digest();
      this.#start = this.#options.origin ?? { steps, epochs, digest };
      await this.#options.onBegin?.(digest, this.#root);
    });
  }

  /** Samples are hashed beside the first steps, wherever the host hashes on other threads. */
  #hashed(held: Samples): Promise<string> {
    const root = this.#tree.add(held).then(() => this.#tree.root());
    root.catch(() => {});
    return root;
  }

  step(batch: TrainingBatch): void | Promise<void> {
    const { trainer, parameters, held } = this.#run;
    if (parameters.replaced !== this.#replaced) {
      throw new OptionError(
        `fit: receipt: expected weights that steps alone change, got others before step ${trainer.steps}`,
      );
    }
    this.#batches++;
    this.#chooseEvery(batch.count);
    const stepped = trainer.steps !== this.#steps;
    this.#steps = trainer.steps;
    const rate = trainer.ownLearningRate;
    if (stepped && rate !== undefined && rate !== this.#rates.at(-1)?.[1]) {
      this.#rates.push([trainer.steps, rate]);
    }
    const isLink = stepped && this.#links.has(trainer.steps - this.#start.steps);
    const isNew = !held && trainer.epochs === this.#start.epochs;
    return isLink || isNew ? this.#timed(() => this.#take(batch, isLink, isNew)) : undefined;
  }

  async #take(batch: TrainingBatch, isLink: boolean, isNew: boolean): Promise<void> {
    if (isNew) {
      await this.#tree.add(batch);
      await this.#tree.settled();
    }
    if (!isLink) return;
    const digest = await this.#digest();
    this.#links.add(digest);
    this.#options.onLink?.(this.#run.trainer.steps, digest);
  }

  end(history: History): Promise<void> {
    return this.#timed(async () => {
      const { architecture, compiled, settings, held, trainer, parameters } = this.#run;
      const restored = parameters.replaced !== this.#replaced;
      if (restored && history.bestEpoch === undefined) {
        throw new OptionError(
          "fit: receipt: expected weights that steps alone change, got others at the end",
        );
      }
      const digest = await this.#digest();
      const weights = await weightsDigest(parameters.read());
      const receipt: Omit<TrainingReceipt, "chain"> = {
        ...HEADER,
        kind: "training",
        architecture,
        compile: describeCompile(compiled),
        options: describeFit(settings, held === undefined),
        needs: needsOf(architecture, compiled),
        data: { root: await (this.#root ?? this.#tree.root()), samples: this.#tree.samples },
        start: this.#start,
        rates: this.#rates,
        batches: this.#batches,
        steps: trainer.steps,
        links: { every: this.#links.every, digests: this.#links.digests },
        digest,
        weights: { digest: weights, ...(restored && { epoch: history.bestEpoch! }) },
      };
      history.receipt = { ...receipt, chain: chainOf(receipt) };
    }).then(() => {
      history.receiptMilliseconds = this.#milliseconds + (this.#root ? this.#tree.busy : 0);
    });
  }

  /** The digest of the state as it is. */
  #digest(): Promise<string> {
    return stateDigest(this.#run.parameters.read(), this.#run.trainer.state());
  }

  #chooseEvery(batchSize: number): void {
    if (this.#links.every > 0) return;
    const { optimizer, training } = this.#run.compiled;
    const averages = training.emaMomentum === undefined ? 0 : 1;
    this.#links.every = defaultEvery(1 + optimizer!.slots.length + averages, batchSize);
  }

  async #timed(work: () => Promise<void>): Promise<void> {
    const began = performance.now();
    await work();
    this.#milliseconds += performance.now() - began;
  }
}
