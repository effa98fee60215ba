import type { Pace } from "../engine/yield.ts";
import type { Runtime } from "../engine/runtime.ts";
import { ShapeError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import type { Loss } from "../losses/index.ts";
import { checkOptions, positiveInteger, show } from "../options.ts";
import { Random } from "../random.ts";
import { checkTensor, expectShape, isBatchOf, sizeOf, type Shape, type Tensor } from "../tensor.ts";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.ts";
import { checkCompileOptions, type CompileOptions } from "./compile.ts";
import { checkFitOptions, runFit, type FitOptions, type History } from "./fit.ts";
import type { Graph } from "./graph.ts";
import { Parameters } from "./parameters.ts";
import { Inference, type Evaluation } from "./inference.ts";
import { Session } from "./session.ts";
import { summarize } from "./summary.ts";
import { checkLabels, noTargets, type Labels } from "./targets.ts";
import { Trainer } from "./trainer.ts";

/** Images in a batch of `predict` and `evaluate`. Outputs do not depend on it. */
const DEFAULT_BATCH = 64;

interface Compiled {
  readonly runtime: Runtime;
  readonly loss: Loss | undefined;
  readonly trainer: Trainer | undefined;
  /** Behind `predict` and `evaluate`. */
  readonly inference: Inference;
}

/**
 * A net with its weights. `compile` puts it on an engine; from then on its buffers are planned once for each batch size
 * and a step allocates nothing. All methods throw errors that name the place, the expected and the given.
 */
export class Model {
  readonly seed: number;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  /** Orders the images in `fit`; goes on from call to call. */
  readonly #shuffler: Random;
  readonly #sessions = new Set<Session>();
  /** The labels of the batch that `trainOnBatch` trains on: one object for all steps. */
  readonly #targets = noTargets();
  #compiled: Compiled | undefined;
  #busy = false;

  /** Draws the weights from `seed`. Users call `sequential` or `loadModel`. */
  constructor(graph: Graph, seed: number) {
    const random = new Random(seed);
    this.seed = seed;
    this.#graph = graph;
    this.#parameters = new Parameters(graph, random);
    this.#shuffler = random;
  }

  /** Shape of one image. */
  get inputShape(): Shape {
    return [...this.#graph.inputShape];
  }

  /** Shape of one image's output. */
  get outputShape(): Shape {
    return [...this.#graph.outputShape];
  }

  /** Copies of the weights, by `layer.weight`. */
  get weights(): Map<string, Tensor> {
    return this.#parameters.read();
  }

  /** Copies of the gradients of the last training step, by `layer.weight`. */
  get gradients(): Map<string, Tensor> {
    return this.#trainer("gradients").readGradients();
  }

  /**
   * Puts the model on an engine. Compiling again keeps the weights, starts the optimizer anew and disposes of
   * the model's sessions.
   * @throws OptionError, MemoryError
   */
  compile(options: CompileOptions): void {
    const runtime = checkCompileOptions(options, this.#graph);
    this.#refuseWhileBusy("compile");
    const { optimizer, loss } = options;
    this.#leave();
    this.#parameters.move(runtime);
    let trainer: Trainer | undefined;
    try {
      if (optimizer && loss) {
        trainer = new Trainer(runtime, this.#graph, this.#parameters, optimizer, loss, this.seed);
      }
    } catch (error) {
      this.#parameters.leave();
      throw error;
    }
    const inference = new Inference(runtime, this.#graph, this.#parameters);
    this.#compiled = { runtime, loss, trainer, inference };
  }

  /**
   * Trains on `images[n, h, w, c]`. Hands control back to the event loop every few milliseconds.
   * @throws ShapeError, OptionError before anything is changed; TrainingError when a loss or weight is not finite, with
   * the weights of the last good step kept; the signal's reason when it is aborted.
   */
  async fit(images: Tensor, labels: Labels, options: FitOptions = {}): Promise<History> {
    const trainer = this.#trainer("fit");
    this.#refuseWhileBusy("fit");
    const settings = checkFitOptions(options);
    const count = this.#checkImages("fit: images", images);
    const targets = checkLabels("fit: labels", labels, count, this.#graph.outputShape, trainer.loss);
    const { validationData } = options;
    if (validationData) {
      const n = this.#checkImages("fit: validationData: images", validationData[0]);
      checkLabels("fit: validationData: labels", validationData[1], n, this.#graph.outputShape, trainer.loss);
    }
    this.#busy = true;
    try {
      return await runFit({
        trainer,
        random: this.#shuffler,
        images: images.data,
        targets,
        count,
        rowsPerImage: this.#rowsPerImage,
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
    const trainer = this.#trainer("trainOnBatch");
    this.#refuseWhileBusy("trainOnBatch");
    const n = this.#checkImages("trainOnBatch: images", images);
    const { outputShape } = this.#graph;
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

  /** The outputs for `images[n, h, w, c]`. @throws ShapeError, OptionError */
  predict(images: Tensor, options: { batchSize?: number } = {}): Tensor {
    checkOptions("predict", options, ["batchSize"]);
    const batchSize = positiveInteger("predict: batchSize", options.batchSize ?? DEFAULT_BATCH);
    const { inference } = this.#require("predict");
    const n = this.#checkImages("predict: images", images);
    const size = sizeOf(this.#graph.outputShape);
    const data = new Float32Array(n * size);
    for (const { output, start, count } of inference.batches(images.data, batchSize)) {
      data.set(output.subarray(0, count * size), start * size);
    }
    return { shape: [n, ...this.#graph.outputShape], data };
  }

  /** Inference on buffers of its own. @throws OptionError, MemoryError */
  session(options: { batchSize?: number } = {}): Session {
    checkOptions("session", options, ["batchSize"]);
    const { runtime } = this.#require("session");
    const batchSize = positiveInteger("session: batchSize", options.batchSize ?? 1);
    const forget = (session: Session): boolean => this.#sessions.delete(session);
    const session = new Session(runtime, this.#graph, this.#parameters, batchSize, forget);
    this.#sessions.add(session);
    return session;
  }

  /** The layers, their shapes and weights as a table. */
  summary(): string {
    return summarize(this.#graph, this.#parameters);
  }

  /** A safetensors file with the weights, and the architecture in its metadata: `loadModel` needs nothing else. */
  toSafetensors(): Uint8Array {
    return encodeCheckpoint(this.#graph, this.seed, this.#parameters.read());
  }

  /**
   * Replaces the weights by those of a file, which need not hold an architecture; all or none.
   * @throws FormatError when the file is broken, ShapeError when its weights are not this model's.
   */
  loadSafetensors(bytes: Uint8Array): void {
    this.#parameters.write("loadSafetensors", decodeSafetensors(bytes).tensors);
  }

  /** Replaces the weights; all or none. @throws ShapeError naming the weight */
  setWeights(weights: ReadonlyMap<string, Tensor>): void {
    if (!(weights instanceof Map)) {
      throw new ShapeError(`setWeights: expected a Map of tensors by name, got ${show(weights)}`);
    }
    for (const [name, weight] of weights) checkTensor(`setWeights: ${name}`, weight);
    this.#parameters.write("setWeights", weights);
  }

  /** Takes the model off its engine and frees its memory there. The weights are kept; `compile` may follow. */
  dispose(): void {
    this.#refuseWhileBusy("dispose");
    this.#leave();
    this.#parameters.leave();
  }

  get #rowsPerImage(): number {
    return sizeOf(this.#graph.outputShape) / this.#graph.outputShape.at(-1)!;
  }

  #leave(): void {
    for (const session of this.#sessions) session.dispose();
    this.#compiled?.inference.dispose();
    if (this.#compiled && !this.#compiled.runtime.disposed) this.#compiled.trainer?.dispose();
    this.#compiled = undefined;
  }

  #require(where: string): Compiled {
    if (!this.#compiled) throw new Error(`${where}: expected a compiled model, got one without an engine`);
    if (this.#compiled.runtime.disposed) {
      throw new Error(`${where}: expected a live engine, got one that was disposed`);
    }
    return this.#compiled;
  }

  #trainer(where: string): Trainer {
    const { trainer } = this.#require(where);
    if (!trainer) {
      throw new Error(
        `${where}: expected a model compiled with an optimizer and a loss, got an engine alone`,
      );
    }
    return trainer;
  }

  #refuseWhileBusy(where: string): void {
    if (this.#busy) throw new Error(`${where}: expected a model at rest, got one in training`);
  }

  /** @throws ShapeError unless `images` is `[n, ...inputShape]`; returns n. */
  #checkImages(where: string, images: Tensor): number {
    checkTensor(where, images);
    const n = images.shape[0];
    if (n === undefined) throw new ShapeError(`${where}: expected a batch of images, got a single number`);
    if (!isBatchOf(images.shape, this.#graph.inputShape))
      expectShape(where, images.shape, [n, ...this.#graph.inputShape]);
    return n;
  }

  #evaluation(where: string, images: Tensor, labels: Labels, batchSize: number): Generator<void, Evaluation> {
    const { loss, inference } = this.#require(where);
    if (!loss) throw new Error(`${where}: expected a model compiled with a loss, got none`);
    positiveInteger(`${where}: batchSize`, batchSize);
    const n = this.#checkImages(`${where}: images`, images);
    const targets = checkLabels(`${where}: labels`, labels, n, this.#graph.outputShape, loss);
    return inference.evaluate(images.data, targets, loss, batchSize);
  }

  async #evaluatePaced(
    images: Tensor,
    labels: Labels,
    pace: Pace,
    signal: AbortSignal | undefined,
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
  const model = new Model(graph, seed);
  model.setWeights(weights);
  return model;
}
