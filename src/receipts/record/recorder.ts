/** Writes the receipt of a run of `fit` while it goes on. */
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
import { chainOf } from "./chain.ts";
import { describeCompile, describeFit, needsOf } from "./describe.ts";
import { HEADER } from "./header.ts";
import { defaultEvery, Links } from "./links.ts";
import { readRecorderState, type Last, type RecorderState, type RunStart } from "./recorderState.ts";
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

/** @throws OptionError on an engine of relaxed math */
export function refuseRelaxed(where: string, { capabilities: { math } }: Runtime): void {
  if (math === "exact") return;
  throw new OptionError(
    `${where}: expected an engine of exact math, which has the same bits everywhere, got ${math}`,
  );
}

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
  #rates: (readonly [step: number, rate: number])[] = [];
  #start: RunStart = { steps: 0, epochs: 0, digest: "" };
  /** The root over samples that are held. */
  #root: Promise<string> | undefined;
  #batches = 0;
  #steps = 0;
  #last: Last | undefined;
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

  begin(resumed: unknown): Promise<void> {
    return this.#timed(async () => {
      const { trainer, parameters, held, settings } = this.#run;
      const { steps, epochs } = trainer;
      this.#steps = steps;
      this.#replaced = parameters.replaced;
      if (resumed !== undefined)
        this.#restore(readRecorderState("fit: the checkpoint: receipt", resumed, steps));
      if (held) this.#chooseEvery(Math.min(settings.batchSize, held.count));
      this.#root = held && this.#hashed(held);
      if (resumed !== undefined) return;
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

  trained(): Promise<void> {
    return this.#timed(async () => {
      const weights = await weightsDigest(this.#run.parameters.read());
      this.#last = { state: await this.#digest(), weights };
    });
  }

  async end(history: History): Promise<void> {
    await this.#timed(async () => {
      history.receipt = await this.#receipt(history);
    });
    history.receiptMilliseconds = this.#milliseconds + (this.#root ? this.#tree.busy : 0);
  }

  async #receipt({ bestEpoch }: History): Promise<TrainingReceipt> {
    const { architecture, compiled, settings, held, trainer, parameters } = this.#run;
    const weights = await weightsDigest(parameters.read());
    const restored = weights !== this.#last!.weights;
    if (restored && bestEpoch === undefined) {
      throw new OptionError("fit: receipt: expected weights that steps alone change, got others at the end");
    }
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
      digest: this.#last!.state,
      weights: { digest: weights, ...(restored && { epoch: bestEpoch! }) },
    };
    return { ...receipt, chain: chainOf(receipt) };
  }

  /** What a run that goes on from a checkpoint takes up; samples that are held are hashed again. */
  state(): RecorderState {
    const { every, digests } = this.#links;
    return {
      start: this.#start,
      rates: [...this.#rates],
      batches: this.#batches,
      every,
      digests: [...digests],
      ...(this.#last && { last: this.#last }),
      ...(!this.#run.held && { samples: this.#tree.state() }),
    };
  }

  #restore({ start, rates, batches, every, digests, last, samples }: RecorderState): void {
    this.#start = start;
    this.#rates = [...rates];
    this.#batches = batches;
    this.#links.every = every;
    this.#links.digests = [...digests];
    this.#last = last;
    if (samples) this.#tree.restore(samples);
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
