import type { Runtime } from "../runtime/runtime.ts";
import { Interruption } from "../runtime/interruption.ts";
import { runAtOnce } from "../runtime/yield.ts";
import { OptionError } from "../errors.ts";
import type { Labels } from "../labels.ts";
import { flag } from "../options.ts";
import {
  expectEpochs,
  isStream,
  type LabelledBatch,
  type Step,
  type Stream,
  type SyncStream,
} from "../stream.ts";
import { noTensor, type InputTensor, type OwnTensor, type Tensor } from "../tensor.ts";
import { architectureText, decodeCheckpoint, encodeCheckpoint, TRAINING } from "./checkpoint.ts";
import { checkCompileOptions, type Compiled, type CompileOptions } from "../training/compile.ts";
import { addTraining, takeTraining, type TrainingRecord } from "./trainingRecord.ts";
import type { TrainingBatch } from "../training/batch.ts";
import {
  EvaluationRun,
  type Evaluation,
  type FiguresOf,
  type LabelledImages,
} from "../training/evaluation.ts";
import { Recorder, type RecorderOptions } from "../receipts/record/recorder.ts";
import { FitCourse, type FitRun } from "../training/fit.ts";
import {
  checkFitOptions,
  type FitOptions,
  type FitSettings,
  type StreamFitOptions,
} from "../training/fitOptions.ts";
import type { History } from "../training/history.ts";
import type { Graph } from "../graph/graph.ts";
import { DEFAULT_BATCH, type AsyncBatchOptions, type BatchOptions } from "./batchOptions.ts";
import { readEvaluateOptions, type AsyncEvaluateOptions, type EvaluateOptions } from "./evaluateOptions.ts";
import { InputGradients } from "./inputGradients.ts";
import { LabelledReader, optionsOf, type Labelled } from "./labelledReader.ts";
import { ownLayers } from "./layersOf.ts";
import { NetModel } from "./netModel.ts";
import { type FilledInput, onlyOne } from "./inferenceModel.ts";
import { readOutputGradients, type OutputGradients } from "./outputGradients.ts";
import { HeldBatches, StreamedBatches } from "../training/source.ts";
import { learningParameters } from "../graph/learning.ts";
import { byName, isNamed, type Named } from "../graph/namedTensors.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import type { MetricFigures } from "../training/metrics/index.ts";
import type { Metric } from "../training/metrics/metric.ts";
import type { Place } from "../training/place.ts";
import type { Objective } from "../training/objective.ts";
import type { Optimizer } from "../training/optimizers/optimizer.ts";
import { GradientRun } from "../training/gradientRun.ts";
import { noTargets } from "../training/targets.ts";
import { Regularization } from "../training/regularization.ts";
import { Trainer, type TrainerOptions, type TrainingState } from "../training/trainer.ts";

/**
 * A net with its weights, for training and inference. A training step allocates nothing once its buffers are planned.
 */
export class Model<Outputs extends string = string, Metrics = MetricFigures> extends NetModel<Outputs> {
  /** The batch of `trainOnBatch`; all steps use the same objects, so that they allocate none. */
  readonly #batch: TrainingBatch & { readonly images: FilledInput[] };
  /** True while a training step runs, during which the model must not be moved or disposed of. */
  #busy = false;
  /** The run of `fit`, during which the model must not be moved; disposing of the model ends the run. */
  #run: Interruption | undefined;
  /** What `compile` was called with, and the trainer that minimizes the losses. */
  #compiled: Compiled | undefined;
  #trainer: Trainer | undefined;
  /** The run that the model's file holds, until `compile` takes it up. */
  #interrupted: TrainingRecord | undefined;
  /** The call of `fit` that runs, and the place from which the next one goes on, if a file had one. */
  #course: FitCourse | undefined;
  #place: Place | undefined;
  /** Runs `inputGradients`, with buffers for the largest batch so far. */
  readonly #inputGradients = new InputGradients();
  readonly #reader = new LabelledReader(
    (where, images, into) => this.checkImages(where, images, into),
    (where) => this.#requireObjective(where),
  );

  /**
   * Makes a model with starting weights that follow from `seed`, or with `weights`; `shared` returns the slots of those that
   * it shares with other models; `compile` takes the run `interrupted` up. Users call `sequential`, `model` or `loadModel` instead.
   */
  constructor(
    graph: Graph,
    seed: number,
    weights?: ReadonlyMap<string, Tensor>,
    shared?: SharedSlots,
    interrupted?: TrainingRecord,
  ) {
    super(graph, seed, weights, shared);
    this.#interrupted = interrupted;
    const targets = graph.lossOutputs.map(noTargets);
    this.#batch = { images: graph.inputs.map(noTensor), targets, start: 0, count: 0 };
  }

  /**
   * A model of the same layers with a copy of the weights and the metadata, which is not compiled. Its layers are its own: they
   * are frozen as these are, and can be frozen otherwise.
   */
  clone(): Model<Outputs> {
    const made = new Model<Outputs>(ownLayers(this.graph), this.seed, this.weights);
    made.parameters.copy(this.parameters);
    return Object.assign(made, { metadata: this.metadata });
  }

  /** True when something needs the model's memory on its engine: it has sessions or an optimizer. */
  override get inUse(): boolean {
    return super.inUse || this.#trainer !== undefined || this.#inputGradients.inUse;
  }

  /** True while `fit` runs. */
  get isTraining(): boolean {
    return this.#run !== undefined;
  }

  /** Copies of the gradients of the last training step, clipped, by `layer.weight`; frozen weights have none. */
  get gradients(): Map<string, OwnTensor> {
    return this.#requireTrainer("gradients").readGradients();
  }

  /** The steps of training since `compile`, those of a checkpoint included. */
  get steps(): number {
    return this.#requireTrainer("steps").steps;
  }

  /**
   * The learning rate of the next step. Setting it replaces a constant rate of the optimizer until `compile`, for this model,
   * also between steps and in callbacks of `fit`. @throws OptionError for a rate that is none, or beside a schedule
   */
  get learningRate(): number {
    return this.#requireTrainer("learningRate").learningRate;
  }

  set learningRate(rate: number) {
    this.#requireTrainer("learningRate").setLearningRate("learningRate", rate);
  }

  /**
   * A copy of all that training needs to go on bit for bit, besides the weights: the optimizer's slots, the numbers of steps
   * and epochs, and what waits between steps.
   */
  get trainingState(): TrainingState {
    return this.#requireTrainer("trainingState").state();
  }

  /**
   * Takes training up where `trainingState` was read, of a model that was compiled with the same options. The weights of that
   * moment are put back before, by `setWeights`. @throws OptionError, ShapeError naming what does not fit, with nothing changed
   */
  setTrainingState(state: TrainingState): void {
    const trainer = this.#requireTrainer("setTrainingState");
    if (this.#busy) throw new Error("setTrainingState: expected a model at rest, got one in training");
    trainer.restore(state, "setTrainingState");
  }

  /**
   * With `useEma` of `compile`: makes the moving averages the model's weights, or puts those back from which training goes on.
   * `fit` makes them so after each epoch, and every step puts the others back by itself.
   */
  useAverages(inUse = true): void {
    const trainer = this.#requireTrainer("useAverages");
    this.#refuseWhileBusy("useAverages");
    trainer.useAverages(flag("useAverages", inUse));
  }

  /**
   * Puts the model on an engine, and returns it, as a type that knows what `evaluate` returns of its metrics. Compiling again
   * keeps the weights, resets the optimizer and disposes of the model's sessions. The first optimizer of a model from a checkpoint
   * goes on from the state there, and must be of the same type.
   * @throws OptionError, MemoryError; Error when the weights went with an engine that was disposed
   */
  override compile<const M extends readonly Metric[] = readonly []>(
    options: CompileOptions<M>,
  ): Model<Outputs, MetricFigures & FiguresOf<M>> {
    const compiled = checkCompileOptions(options, this.graph);
    const { runtime, algorithm, optimizer, training, objective } = compiled;
    this.#refuseWhileBusy("compile");
    const fault = optimizer && this.trainingFault;
    if (fault) {
      throw new OptionError(`compile: optimizer: expected ${fault.expected}, got ${fault.got}`);
    }
    this.moveTo(runtime, algorithm);
    this.#compiled = compiled;
    const penalized = new Regularization(
      runtime,
      this.parameters,
      learningParameters(this.graph, this.parameters),
    );
    objective.penalty = () => penalized.penalty();
    if (optimizer) this.#startTrainer(runtime, optimizer, objective, training);
    return this as unknown as Model<Outputs, MetricFigures & FiguresOf<M>>;
  }

  #startTrainer(
    runtime: Runtime,
    optimizer: Optimizer,
    { outputs }: Objective,
    options: TrainerOptions,
  ): void {
    const { graph } = this.requireCompiled("compile");
    const { parameters, seed } = this;
    try {
      this.#trainer = new Trainer(runtime, graph, parameters, optimizer, outputs, seed, options);
      if (this.#interrupted) {
        this.#trainer.restore(this.#interrupted.state, "compile: the checkpoint");
        this.#place = this.#interrupted.place;
      }
      this.#interrupted = undefined;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Trains on `images[n, h, w, c]`. It returns control to the event loop between two batches whenever 12 ms have gone by, so
   * that others wait for that and the time of a batch.
   * @throws ShapeError, OptionError before anything is changed; TrainingError when a loss or weight is not finite, with
   * the weights of the last good step kept; the signal's reason when it is aborted; Error when the model or its engine is
   * disposed of meanwhile.
   */
  fit(
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
    options?: FitOptions,
  ): Promise<History>;
  /**
   * Trains on a stream of batches, which may differ in size. No more than one of them is held at a time. Batches of the
   * images in the order of `fit` on tensors lead to the same weights.
   * @throws as for tensors, and OptionError for options that a stream does not take; an error that names the epoch and the
   * batch when the stream fails, with its `cause`, or when a batch does not fit the model, with the weights of the last good
   * step kept
   */
  fit(batches: Stream<LabelledBatch>, options?: StreamFitOptions): Promise<History>;
  fit(
    data: Labelled,
    labels?: Labels | Named<Labels> | StreamFitOptions,
    options?: FitOptions,
  ): Promise<History> {
    return this.recordedFit(undefined, data, labels, options);
  }

  /**
   * What `verifyReceipt` calls: `fit`, of which a receipt is written as `recording` says, or as the options say. The other parameters are
   * those of `fit`.
   */
  async recordedFit(
    recording: RecorderOptions | undefined,
    data: Labelled,
    labels?: Labels | Named<Labels> | StreamFitOptions,
    options: FitOptions = {},
  ): Promise<History> {
    this.#requireTrainer("fit");
    this.#refuseWhileBusy("fit");
    const streamed = isStream(data);
    const settings = checkFitOptions(optionsOf<FitOptions>(data, labels, options), streamed);
    // A model that has no file is refused before the first step, not at the first checkpoint.
    if (settings.checkpoint) architectureText("fit: checkpoint", this.graph, this.seed);
    const [held, last] = streamed ? [] : this.#reader.training(data, labels as Labels, settings);
    if (streamed) expectEpochs("fit: epochs", data, settings.epochs - settings.initialEpoch);
    // Validation changes nothing that is verified.
    const validation = recording ? undefined : (last ?? this.#reader.validation(settings));
    // Reading the caller's data may have called getters that changed the model.
    const trainer = this.#requireTrainer("fit");
    this.#refuseWhileBusy("fit");
    const objective = this.#requireObjective("fit");
    if (held && held.objective !== objective) {
      throw new Error(
        "fit: expected a model that stays as it was compiled, got one compiled again meanwhile",
      );
    }
    const { leaving } = this.requireCompiled("fit").runtime;
    const interruption = new Interruption("fit", settings.signal, leaving);
    const source = held
      ? new HeldBatches(trainer, held, settings.batchSize, settings.shuffle)
      : new StreamedBatches(trainer, data as Stream<LabelledBatch>, (where, batch) =>
          this.#reader.batch(where, batch, settings.classWeight),
        );
    this.#run = interruption;
    try {
      const place = this.#placeFor(settings, trainer);
      if (settings.receipt && place && place.observer === undefined) {
        throw new OptionError(
          "fit: receipt: expected none, as the interrupted run that the checkpoint holds had none, got one; resume: false begins a new run",
        );
      }
      const run: FitRun = {
        trainer,
        source,
        outputs: objective.outputs,
        rowsPerImage: objective.rowsPerImage || 1,
        settings,
        weights: this.parameters,
        model: this,
        interruption,
        hold: (steps) => (this.#busy = steps),
        observer: this.#recorder(recording ?? settings.receipt, trainer, settings, held),
        validate: validation && (() => this.#evaluation("fit: validationData", validation, DEFAULT_BATCH)),
      };
      this.#course = new FitCourse(run, place);
      this.#place = undefined;
      return await this.#course.run();
    } finally {
      source.close();
      interruption.release();
      if (this.#run === interruption) this.#run = this.#course = undefined;
    }
  }

  /** What writes the receipt of a run, if one is asked for. @throws OptionError when the run cannot be the same everywhere */
  #recorder(
    recording: RecorderOptions | undefined,
    trainer: Trainer,
    settings: FitSettings,
    held: LabelledImages | undefined,
  ): Recorder | undefined {
    if (!recording) return undefined;
    const where = "fit: receipt";
    const { runtime } = this.requireCompiled(where);
    const text = architectureText(where, this.graph, this.seed);
    const architecture = JSON.parse(text) as Record<string, unknown>;
    const [parameters, compiled] = [this.parameters, this.#compiled!];
    return new Recorder({ runtime, architecture, parameters, trainer, compiled, settings, held }, recording);
  }

  /** The place from which `fit` goes on. @throws OptionError when the model was trained otherwise since the file was read */
  #placeFor({ resume }: FitSettings, { steps }: Trainer): Place | undefined {
    const place = resume ? this.#place : undefined;
    if (!place || place.step === steps) return place;
    throw new OptionError(
      `fit: expected the model at step ${place.step}, where the run that the checkpoint holds was interrupted, got it at ` +
        `${steps}; resume: false begins a new run`,
    );
  }

  /**
   * Runs one step of the optimizer on one batch. Returns the batch's mean loss before the step, added up over the outputs.
   * @throws ShapeError, OptionError; TrainingError when a loss or weight is not finite, with the weights kept.
   */
  trainOnBatch(images: InputTensor | Named<InputTensor>, labels: Labels | Named<Labels>): number {
    const trainer = this.#requireTrainer("trainOnBatch");
    this.#refuseWhileBusy("trainOnBatch");
    // Getters of the labels, or a learning rate that is a function, could otherwise dispose of the model during the step.
    this.#busy = true;
    try {
      const batch = this.#batch;
      batch.count = this.checkImages("trainOnBatch: images", images, batch.images);
      this.#compiled!.objective.readLabels("trainOnBatch: labels", labels, batch.count, batch.targets);
      trainer.computeGradients("trainOnBatch", batch);
      trainer.applyGradients("trainOnBatch");
    } finally {
      this.#busy = false;
    }
    return trainer.loss;
  }

  /**
   * The gradient of the loss of `compile` by the images, of their shape: the mean over the batch, of all outputs. The net is as
   * in inference, without dropout and normalized by moving statistics; frozen layers pass gradients on like others. Instead of
   * labels, `{ outputGradients }` has the gradients of outputs, of their shape or by name, absent ones being zero: ones at
   * one class give the gradient of that output, and no loss is needed. Zeros where no gradient comes.
   * @throws ShapeError, OptionError, MemoryError
   */
  inputGradients(images: InputTensor, target: Labels | Named<Labels> | OutputGradients): OwnTensor;
  /** The gradients by name, for inputs by name. */
  inputGradients(
    images: Named<InputTensor>,
    target: Labels | Named<Labels> | OutputGradients,
  ): Record<string, OwnTensor>;
  inputGradients(
    images: InputTensor | Named<InputTensor>,
    target: Labels | Named<Labels> | OutputGradients,
  ): OwnTensor | Record<string, OwnTensor> {
    const where = "inputGradients";
    this.requireCompiled(where);
    const names = this.graph.inputs.map(({ name }) => name);
    const named = isNamed(images, names);
    const seeds = readOutputGradients(where, target, this.graph);
    const batch: TrainingBatch = seeds
      ? this.#reader.images(where, images)
      : { ...this.#reader.tensors(where, images, target as Labels), start: 0 };
    const create = (capacity: number): GradientRun => this.#gradientRun(where, capacity, true);
    const gradients = this.#inputGradients.compute(batch, seeds, create);
    return named ? byName(names, gradients) : onlyOne(`${where}: images by name`, gradients);
  }

  /**
   * What `checkGradients` compares: a run with the gradients of the inputs and of what learns, as training computes them, and
   * a batch with its labels. The caller disposes of the run. @throws as `fit`
   */
  gradientsToCheck(
    where: string,
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
  ): { readonly run: GradientRun; readonly batch: TrainingBatch } {
    this.#refuseWhileBusy(where);
    const batch: TrainingBatch = { ...this.#reader.tensors(where, images, labels), start: 0 };
    return { run: this.#gradientRun(where, batch.count, false), batch };
  }

  /** What `traceStep` watches. @throws Error unless the model was compiled with an optimizer */
  trainerToWatch(where: string): Trainer {
    return this.#requireTrainer(where);
  }

  #gradientRun(where: string, capacity: number, asInference: boolean): GradientRun {
    const { runtime, graph } = this.requireCompiled(where);
    return new GradientRun(where, runtime, graph, this.parameters, {
      capacity,
      learning: asInference ? new Set() : learningParameters(graph, this.parameters),
      asInference,
      seed: this.seed,
      outputs: this.#compiled?.objective.outputs ?? [],
    });
  }

  /**
   * The mean loss, the accuracy and the metrics of `compile` over `images`. It keeps the thread until all are done, for as
   * long as `predict`; `evaluateAsync` does not. @throws ShapeError, OptionError
   */
  evaluate(
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
    options?: EvaluateOptions,
  ): Evaluation<Metrics>;
  /** The same over a stream of batches, which is read but once; a function is called with 1. @throws also what names the batch */
  evaluate(batches: SyncStream<LabelledBatch>, options?: BatchOptions): Evaluation<Metrics>;
  evaluate(
    data: Labelled,
    labels?: Labels | Named<Labels> | BatchOptions,
    options: EvaluateOptions = {},
  ): Evaluation<Metrics> {
    const own = optionsOf(data, labels, options);
    const settings = readEvaluateOptions("evaluate", own, isStream(data), false);
    const read = this.#reader.toEvaluate("evaluate", data, labels as Labels, settings);
    return runAtOnce(this.#evaluation("evaluate", read, settings.batchSize, true));
  }

  /**
   * Resolves with what `evaluate` returns, the same bits, and lets pending events run between two batches as `predictAsync`
   * does. Labels are copied at once, images are read batch by batch.
   * @throws as `predictAsync`
   */
  evaluateAsync(
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
    options?: AsyncEvaluateOptions,
  ): Promise<Evaluation<Metrics>>;
  /** The same over a stream of batches, which may be asynchronous. */
  evaluateAsync(batches: Stream<LabelledBatch>, options?: AsyncBatchOptions): Promise<Evaluation<Metrics>>;
  async evaluateAsync(
    data: Labelled,
    labels?: Labels | Named<Labels> | AsyncBatchOptions,
    options: AsyncEvaluateOptions = {},
  ): Promise<Evaluation<Metrics>> {
    const where = "evaluateAsync";
    const settings = readEvaluateOptions(where, optionsOf(data, labels, options), isStream(data), true);
    const read = this.#reader.toEvaluate(where, data, labels as Labels, settings);
    return this.paced(where, this.#evaluation(where, read, settings.batchSize), settings.signal);
  }

  /**
   * Writes what `toSafetensors` writes, and the state of training besides: the optimizer's slots, the numbers of steps and
   * epochs, and the seed, which with them names all random draws to come. `loadModel` reads it, and after `compile` with the
   * same options training goes on bit for bit, in any runtime and on any number of threads. In the course of `fit`, as in
   * callbacks, it holds the place there too: `fit` with the same data and options then finishes the call.
   * @throws as `toSafetensors`; Error unless the model was compiled with an optimizer, and in the middle of a step;
   * OptionError for the state of a callback that cannot be written
   */
  toCheckpoint(): Uint8Array<ArrayBuffer> {
    const trainer = this.#requireTrainer("toCheckpoint");
    if (this.#busy) throw new Error("toCheckpoint: expected a model at rest, got one in training");
    const tensors: Map<string, Tensor> = this.parameters.read();
    const place = this.#course?.place() ?? this.#place;
    const text = addTraining({ state: trainer.state(), place }, tensors);
    return encodeCheckpoint(this.graph, this.seed, tensors, this.metadata, { [TRAINING]: text });
  }

  /**
   * Takes the model off its engine and frees its memory there; ends `fit`. The weights are kept; `compile` may follow.
   */
  override dispose(): void {
    if (this.#busy) throw new Error("dispose: expected a model at rest, got one in training");
    this.#run?.end(new Error("fit: expected the model to the end, got one that was disposed"));
    this.#run = undefined;
    super.dispose();
  }

  protected override release(): void {
    this.#trainer?.dispose();
    this.#trainer = this.#course = this.#place = undefined;
    this.#inputGradients.dispose();
    this.#compiled = undefined;
    super.release();
  }

  #requireTrainer(where: string): Trainer {
    this.requireCompiled(where);
    if (!this.#trainer) {
      throw new Error(
        `${where}: expected a model compiled with an optimizer and a loss, got an engine alone`,
      );
    }
    return this.#trainer;
  }

  #refuseWhileBusy(where: string): void {
    if (this.#busy || this.#run) {
      throw new Error(`${where}: expected a model at rest, got one in training`);
    }
  }

  #requireObjective(where: string): Objective {
    this.requireCompiled(where);
    const objective = this.#compiled?.objective;
    if (objective && objective.outputs.length > 0) return objective;
    throw new Error(`${where}: expected a model compiled with a loss, got none`);
  }

  /** Evaluates in steps. It looks up the engine after the data were read, which may have called getters. */
  *#evaluation<M>(
    where: string,
    data: LabelledImages | Stream<LabelledBatch>,
    batchSize: number,
    atOnce = false,
  ): Generator<Step, Evaluation<M>, unknown> {
    const { runtime, inference } = this.requireCompiled(where);
    const objective = isStream(data) ? this.#requireObjective(where) : data.objective;
    const run = new EvaluationRun(where, runtime, inference, objective);
    yield* this.#reader.evaluated(where, data, run, batchSize, atOnce);
    return run.result() as Evaluation<M>;
  }
}

/**
 * Loads a model that `toSafetensors` or `toCheckpoint` saved, with its architecture and weights. It needs to be compiled before
 * use; an optimizer then goes on from the state of a checkpoint.
 * @throws FormatError when the bytes are no such file.
 */
export function loadModel(bytes: Uint8Array): Model {
  const { graph, seed, weights, metadata, training } = decodeCheckpoint(bytes, takeTraining);
  const model = new Model(graph, seed, weights, undefined, training);
  return Object.assign(model, { metadata });
}
