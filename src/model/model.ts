import type { AbortSignalLike } from "../engine/platform.ts";
import type { Pace } from "../engine/yield.ts";
import type { Loss } from "../losses/index.ts";
import { checkOptions, positiveInteger } from "../options.ts";
import { Random } from "../random.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { checkCompileOptions, type CompileOptions } from "./compile.ts";
import { evaluateBatches, type Evaluation } from "./evaluation.ts";
import { checkFitOptions, runFit, type FitOptions, type History } from "./fit.ts";
import type { Graph } from "./graph.ts";
import { DEFAULT_BATCH, InferenceModel } from "./inferenceModel.ts";
import { drawWeights } from "./initialize.ts";
import { checkLabels, noTargets, type Labels } from "./targets.ts";
import { Trainer } from "./trainer.ts";

/** A net with its weights, for training and inference. A training step allocates nothing once its buffers are planned. */
export class Model extends InferenceModel {
  readonly seed: number;
  /** Orders the images in `fit`; goes on from call to call. */
  readonly #shuffler: Random;
  /** The labels of the batch that `trainOnBatch` trains on: one object for all steps. */
  readonly #targets = noTargets();
  /** Whether a training run has the model: it must not be moved or given up meanwhile. */
  #busy = false;
  #loss: Loss | undefined;
  #trainer: Trainer | undefined;

  /** Draws the weights from `seed` unless they are given. Users call `sequential` or `loadModel`. */
  constructor(graph: Graph, seed: number, weights?: ReadonlyMap<string, Tensor>) {
    super(graph, weights);
    this.seed = seed;
    if (!weights) this.parameters.write("model", drawWeights(graph, new Random(seed)));
    // A stream of its own, so that a model with given weights need draw none to shuffle as the one that was saved.
    this.#shuffler = new Random(seed);
    this.#shuffler.jump();
  }

  /** Copies of the gradients of the last training step, by `layer.weight`. */
  get gradients(): Map<string, Tensor> {
    return this.#requireTrainer("gradients").readGradients();
  }

  /**
   * Puts the model on an engine. Compiling again keeps the weights, starts the optimizer anew and disposes of
   * the model's sessions.
   * @throws OptionError, MemoryError
   */
  override compile(options: CompileOptions): void {
    const runtime = checkCompileOptions(options, this.graph);
    this.#refuseWhileBusy("compile");
    const { optimizer, loss } = options;
    this.place(runtime);
    this.#loss = loss;
    if (!optimizer || !loss) return;
    try {
      this.#trainer = new Trainer(runtime, this.graph, this.parameters, optimizer, loss, this.seed);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Trains on `images[n, h, w, c]`. Hands control back to the event loop every few milliseconds.
   * @throws ShapeError, OptionError before anything is changed; TrainingError when a loss or weight is not finite, with
   * the weights of the last good step kept; the signal's reason when it is aborted.
   */
  async fit(images: Tensor, labels: Labels, options: FitOptions = {}): Promise<History> {
    const trainer = this.#requireTrainer("fit");
    this.#refuseWhileBusy("fit");
    const settings = checkFitOptions(options);
    const count = this.checkImages("fit: images", images);
    const targets = checkLabels("fit: labels", labels, count, this.graph.outputShape, trainer.loss);
    const { validationData } = options;
    if (validationData) {
      const n = this.checkImages("fit: validationData: images", validationData[0]);
      checkLabels("fit: validationData: labels", validationData[1], n, this.graph.outputShape, trainer.loss);
    }
    this.#busy = true;
    try {
      return await runFit({
        trainer,
        random: this.#shuffler,
        images: images.data,
        targets,
        count,
        rowsPerImage: sizeOf(this.graph.outputShape) / this.#columns,
        options,
        settings,
        validate: async (pace) =>
          validationData && this.#evaluatePaced(validationData[0], validationData[1], pace, options.signal),
      });
    } finally {
      this.#busy = false;
    }
  }

  /**
   * One step of the optimizer on one batch. Returns the batch's mean loss before the step.
   * @throws ShapeError, OptionError; TrainingError when a loss or weight is not finite, with the weights kept.
   */
  trainOnBatch(images: Tensor, labels: Labels): number {
    const trainer = this.#requireTrainer("trainOnBatch");
    this.#refuseWhileBusy("trainOnBatch");
    const n = this.checkImages("trainOnBatch: images", images);
    const { outputShape } = this.graph;
    const targets = checkLabels("trainOnBatch: labels", labels, n, outputShape, trainer.loss, this.#targets);
    // The learning rate may be a function of the caller's: it must not take the model away from under the step.
    this.#busy = true;
    try {
      trainer.reserve(n);
      for (let i = 0; i < n; i++) trainer.load(images.data, targets, i, i);
      trainer.step("trainOnBatch", n, targets.classes);
    } finally {
      this.#busy = false;
    }
    return trainer.lastLoss;
  }

  /** Mean loss and accuracy over `images`. @throws ShapeError, OptionError */
  evaluate(images: Tensor, labels: Labels, options: { batchSize?: number } = {}): Evaluation {
    checkOptions("evaluate", options, ["batchSize"]);
    const { batchSize = DEFAULT_BATCH } = options;
    const steps = this.#evaluation("evaluate", images, labels, batchSize);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** A safetensors file with the weights, and the architecture in its metadata: `loadModel` needs nothing else. */
  toSafetensors(): Uint8Array {
    return encodeCheckpoint(this.graph, this.seed, this.parameters.read());
  }

  override dispose(): void {
    this.#refuseWhileBusy("dispose");
    super.dispose();
  }

  /** Elements of a row of output, over which a loss is taken. */
  get #columns(): number {
    return this.graph.outputShape.at(-1)!;
  }

  protected override release(): void {
    this.#trainer?.dispose();
    this.#trainer = undefined;
    this.#loss = undefined;
    super.release();
  }

  #requireTrainer(where: string): Trainer {
    this.placed(where);
    if (!this.#trainer) {
      throw new Error(
        `${where}: expected a model compiled with an optimizer and a loss, got an engine alone`,
      );
    }
    return this.#trainer;
  }

  #refuseWhileBusy(where: string): void {
    if (this.#busy) throw new Error(`${where}: expected a model at rest, got one in training`);
  }

  #evaluation(where: string, images: Tensor, labels: Labels, batchSize: number): Generator<void, Evaluation> {
    const { runtime, inference } = this.placed(where);
    const loss = this.#loss;
    if (!loss) throw new Error(`${where}: expected a model compiled with a loss, got none`);
    positiveInteger(`${where}: batchSize`, batchSize);
    const n = this.checkImages(`${where}: images`, images);
    const targets = checkLabels(`${where}: labels`, labels, n, this.graph.outputShape, loss);
    return evaluateBatches(runtime, inference.batches(images.data, batchSize), this.#columns, targets, loss);
  }

  async #evaluatePaced(
    images: Tensor,
    labels: Labels,
    pace: Pace,
    signal: AbortSignalLike | undefined,
  ): Promise<Evaluation> {
    const steps = this.#evaluation("fit: validationData", images, labels, DEFAULT_BATCH);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (pace.due) await pace.rest();
      signal?.throwIfAborted();
    }
  }
}

/**
 * The model that `toSafetensors` saved: architecture and weights. `compile` follows.
 * @throws FormatError when the bytes are no such file.
 */
export function loadModel(bytes: Uint8Array): Model {
  const { graph, seed, weights } = decodeCheckpoint(bytes);
  return new Model(graph, seed, weights);
}
