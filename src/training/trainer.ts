import { TrainingError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { learningParameters } from "../graph/learning.ts";
import { readLaidOut, type Parameter, type Parameters } from "../graph/parameters.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { OwnTensor } from "../tensor.ts";
import type { TrainingBatch } from "./batch.ts";
import { loadBatch } from "./loadBatch.ts";
import { correctRows, meanLoss, RESULT_ELEMENTS } from "./losses/loss.ts";
import { runLoss } from "./losses/run.ts";
import type { LossOutput } from "./objective.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { planTraining, type TrainingPlan, type WatchedStep } from "./plan.ts";
import { Accumulation } from "./accumulation.ts";
import { WeightAverages } from "./averages.ts";
import { Regularization } from "./regularization.ts";
import { checkPart, checkState, type TrainerOptions, type TrainingState } from "./state.ts";
import { OptimizerUpdate } from "./update.ts";

export type { TrainerOptions, TrainingState } from "./state.ts";

const NOT_FINITE = "a gradient or an updated weight is not finite";

/**
 * Training: a plan with gradients, the optimizer, and the two halves of a step, `computeGradients` and `applyGradients`.
 * After the first step of a batch size nothing is allocated, neither in JavaScript nor in WebAssembly.
 */
export class Trainer {
  readonly seed: number;
  /** Steps and epochs done. */
  steps = 0;
  epochs = 0;
  /** Mean loss, the sum of all outputs', and number of right rows of the batch whose gradients were computed last. */
  loss = 0;
  correct = 0;
  /** Makes a plan that does the same as that of a step and watches its passes; `traceStep` sets it. */
  watch: ((step: WatchedStep) => TrainingPlan) | undefined;
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #optimizer: Optimizer;
  readonly #outputs: readonly LossOutput[];
  readonly #region: Region;
  /** The values of `trainable` of the layers when the model was compiled. */
  readonly #trainable: readonly boolean[];
  readonly #learning: ReadonlySet<Parameter>;
  /** Addresses of the gradients, laid out as the parameters, and of the results of the losses. */
  readonly #gradients: number;
  readonly #results: number;
  readonly #update: OptimizerUpdate;
  readonly #regularization: Regularization;
  readonly #accumulation: Accumulation | undefined;
  readonly #averages: WeightAverages | undefined;
  #plan: TrainingPlan | undefined;
  /** The revision of the weights for which the frozen layers of the plan are prepared. */
  #revision = 0;
  /** The images of the batch whose gradients wait to be applied; 0 when none do. */
  #waiting = 0;

  /** @throws MemoryError, with everything freed. */
  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    optimizer: Optimizer,
    outputs: readonly LossOutput[],
    seed: number,
    { accumulationSteps = 1, emaMomentum }: TrainerOptions = {},
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#optimizer = optimizer;
    this.#outputs = outputs;
    this.seed = seed;
    this.#trainable = graph.nodes.map(({ layer }) => layer.trainable);
    this.#learning = learningParameters(graph, parameters);
    const region = (this.#region = new KeptRegion(runtime.heap, "model: gradients and optimizer state"));
    try {
      this.#gradients = region.zeros(parameters.size);
      this.#results = region.allocate(RESULT_ELEMENTS * outputs.length);
      this.#update = new OptimizerUpdate(
        runtime,
        parameters,
        this.#learning,
        optimizer,
        this.#gradients,
        region,
        ({ node }) => graph.nodes[node]!.layer.learningRateMultiplier,
      );
      this.#regularization = new Regularization(runtime, parameters, this.#learning);
      if (accumulationSteps > 1) {
        const [learning, steps, from] = [this.#learning, accumulationSteps, this.#gradients];
        this.#accumulation = new Accumulation(runtime, parameters, learning, steps, from, region);
      }
      if (emaMomentum !== undefined) {
        this.#averages = new WeightAverages(runtime, parameters, this.#learning, emaMomentum, region);
      }
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /** Plans buffers for batches of `n` images, unless there are. @throws MemoryError */
  reserve(n: number): void {
    if (this.#plan && this.#plan.capacity >= n) return;
    this.#releasePlan();
    const target = { capacity: n, pointer: this.#gradients, learning: this.#learning };
    const options = { target, trainable: this.#trainable, outputs: this.#outputs, seed: this.seed };
    this.#plan = planTraining(this.#runtime, this.#graph, this.#parameters, options);
    this.#revision = 0;
  }

  /**
   * Runs forward, losses and backward on a batch and leaves the gradients in memory, for `applyGradients`. The loss contains the
   * penalties on the weights; `applyGradients` adds their gradients. `where` names the caller.
   * @throws MemoryError; TrainingError when the loss is not finite; there are no gradients then.
   */
  computeGradients(where: string, batch: TrainingBatch): void {
    const n = batch.count;
    this.reserve(n);
    this.#averages?.use(false);
    const plan = this.watch ? this.watch(this.#watched(this.#plan!, batch)) : this.#plan!;
    this.#waiting = 0;
    // Behind the images that wait, random draws are those of one larger batch.
    const before = this.#accumulation?.images ?? 0;
    loadBatch(this.#runtime.heap, this.#graph, plan, batch, before);
    plan.batchKey.step = this.steps;
    plan.batchKey.firstImage = (batch.firstImage ?? 0) + before;
    plan.batchKey.epoch = batch.epoch ?? this.steps;
    if (this.#revision !== this.#parameters.revision) plan.prepare();
    this.#revision = this.#parameters.revision;
    plan.forward(n);
    let loss = 0;
    let correct = 0;
    for (let i = 0; i < this.#outputs.length; i++) {
      const result = this.#runLoss(plan, i, batch);
      loss += meanLoss(this.#runtime.heap, result);
      correct += correctRows(this.#runtime.heap, result);
    }
    loss += this.#regularization.penalty();
    if (!Number.isFinite(loss)) this.#refuse(where, `the loss is ${loss}`);
    plan.backward(n);
    this.loss = loss;
    this.correct = correct;
    this.#waiting = n;
  }

  /**
   * Takes one step of the optimizer by the gradients in memory, within the bounds of the optimizer; or lets them wait for those
   * of the batches that follow, if several make one step. Moving statistics follow each batch.
   * @throws TrainingError when a gradient or an updated number is not finite; nothing has changed then. Error when no
   * gradients were computed since the last step.
   */
  applyGradients(where: string): void {
    const n = this.#waiting;
    if (n === 0) throw new Error(`${where}: expected gradients to apply, got none since the last step`);
    this.#waiting = 0;
    this.#averages?.use(false);
    const plan = this.#plan!;
    if (this.#accumulation) {
      if (!plan.update(n, false)) this.#refuse(where, NOT_FINITE);
      if (!this.#accumulation.add(n)) {
        plan.update(n, true);
        this.#changed();
        return;
      }
      this.#accumulation.finish();
    }
    this.#regularization.addGradients(this.#gradients);
    if (!(this.#update.prepare(this.steps) && plan.update(n, false))) this.#refuse(where, NOT_FINITE);
    this.#update.commit();
    plan.update(n, true);
    this.#averages?.follow();
    this.#changed();
    this.steps++;
  }

  /** Records that a step has changed the weights, but nothing that was prepared; others may have done so meanwhile. */
  #changed(): void {
    const prepared = this.#revision === this.#parameters.revision;
    const revision = this.#parameters.changed();
    if (prepared) this.#revision = revision;
  }

  /** Counts an epoch, after which the averages are the weights of the model until the next step, if there are averages. */
  endEpoch(): void {
    this.epochs++;
    this.useAverages(true);
  }

  /** Makes the averages the weights of the model, or puts those back from which training goes on, if there are averages. */
  useAverages(inUse: boolean): void {
    this.#averages?.use(inUse);
  }

  /** The learning rate of the next step. */
  get learningRate(): number {
    return this.#update.rateOf(this.steps);
  }

  /** The rate that was set in place of the optimizer's. */
  get ownLearningRate(): number | undefined {
    return this.#update.ownRate;
  }

  /** Replaces the constant rate of the optimizer. @throws OptionError for a rate that is none, or beside a schedule */
  setLearningRate(where: string, rate: number): void {
    this.#update.setRate(where, rate);
  }

  /** Copies of the gradients that were computed last, by parameter that learns; clipped once they were applied. */
  readGradients(): Map<string, OwnTensor> {
    return readLaidOut(this.#runtime.heap.floats.subarray(this.#gradients >>> 2), this.#learning);
  }

  /** A copy of all that the run needs to go on, but for the weights. */
  state(): TrainingState {
    const { seed, steps, epochs } = this;
    const learningRate = this.#update.ownRate;
    const accumulated = this.#accumulation?.read();
    const averages = this.#averages?.read();
    return {
      seed,
      steps,
      epochs,
      optimizer: this.#optimizer.type,
      slots: this.#update.readSlots(),
      ...(learningRate !== undefined && { learningRate }),
      ...(accumulated && { accumulated }),
      ...(averages && { averages }),
    };
  }

  /**
   * Takes a run up where `state` was read; the weights of that moment are the caller's to put back, before this. Gradients that
   * were computed and not applied are dropped. `where` names the caller.
   * @throws OptionError, ShapeError naming what does not fit this model and its optimizer; nothing has changed then.
   */
  restore(state: TrainingState, where = "restore"): void {
    checkState(where, state, this.seed, this.#optimizer.type);
    const { steps, epochs, slots } = state;
    const checked = this.#update.checkSlots(`${where}: slots`, slots);
    const accumulated = checkPart(where, "accumulated", state, this.#accumulation);
    const averages = checkPart(where, "averages", state, this.#averages);
    this.#update.setRate(`${where}: learningRate`, state.learningRate);
    this.#update.writeSlots(checked);
    this.#accumulation?.write(accumulated);
    this.#averages?.write(averages);
    this.steps = steps;
    this.epochs = epochs;
    this.#waiting = 0;
  }

  /** Frees its buffers, unless they went with the engine. */
  dispose(): void {
    if (this.#runtime.disposed) return;
    this.#releasePlan();
    this.#region.release();
  }

  #releasePlan(): void {
    if (!this.#plan) return;
    this.#plan.dispose();
    this.#plan = undefined;
    this.#waiting = 0;
  }

  #watched(plan: TrainingPlan, batch: TrainingBatch): WatchedStep {
    return {
      plan,
      batch,
      runtime: this.#runtime,
      graph: this.#graph,
      parameters: this.#parameters,
      learning: this.#learning,
      gradients: this.#gradients,
    };
  }

  /** Computes the loss of one output and its gradient; returns the address of the result. */
  #runLoss({ outputs, outputGradients, labels }: TrainingPlan, i: number, batch: TrainingBatch): number {
    const output = this.#outputs[i]!;
    const [x, dx] = [outputs[output.index]!.pointer, outputGradients[i]!.pointer];
    const result = this.#results + i * RESULT_ELEMENTS * 4;
    runLoss(this.#runtime, output, batch.targets[i]!, x, labels[i]!, dx, batch.count, batch, result);
    return result;
  }

  #refuse(where: string, what: string): never {
    const step = this.steps + 1;
    throw new TrainingError(
      `${where}: step ${step}: expected finite numbers, but ${what}. The weights are those after step ${this.steps}; ` +
        `a lower learning rate or scaled inputs may help`,
      step,
    );
  }
}
