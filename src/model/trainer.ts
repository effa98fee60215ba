import { Region } from "../engine/region.ts";
import type { Runtime } from "../engine/runtime.ts";
import { TrainingError } from "../errors.ts";
import { BACKWARD } from "../layers/backward.ts";
import type { Loss } from "../losses/index.ts";
import type { Optimizer, OptimizerRun } from "../optimizers/index.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import { createPlan, type Plan } from "./plan.ts";
import type { Targets } from "./targets.ts";

/** Elements of what a loss writes: float64 loss, int32 count of right rows. */
export const RESULT_SIZE = 4;
/** Spreads consecutive step numbers over the keys of the random generator (2³² divided by the golden ratio). */
const GOLDEN = 0x9e3779b9;

/** Copies `count` elements of `source`, starting at `from`, to `target` at `to`, without making a view. */
export function copyElements(
  source: ArrayLike<number>,
  from: number,
  target: Float32Array | Int32Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}

/**
 * Training: a plan with gradients, the optimizer's state, and the step. After the first step of a batch size nothing is
 * allocated, neither in JavaScript nor in WebAssembly.
 */
export class Trainer {
  readonly loss: Loss;
  /** Steps done. */
  steps = 0;
  /** Mean loss and number of right rows of the last batch. */
  lastLoss = 0;
  lastCorrect = 0;
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #region: Region;
  readonly #optimizer: OptimizerRun;
  readonly #states: readonly number[];
  readonly #gradients: number;
  readonly #result: number;
  readonly #seedKey: number;
  #plan: Plan | undefined;
  #targets = 0;

  /** @throws MemoryError, with everything freed. */
  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    optimizer: Optimizer,
    loss: Loss,
    seed: number,
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.loss = loss;
    this.#seedKey = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
    this.#region = new Region(runtime.heap, "model: gradients and optimizer state");
    try {
      this.#gradients = this.#region.zeros(parameters.size);
      this.#states = Array.from({ length: optimizer.states }, () => this.#region.zeros(parameters.size));
      this.#result = this.#region.room(RESULT_SIZE);
    } catch (error) {
      this.#region.release();
      throw error;
    }
    this.#optimizer = optimizer.start();
  }

  /** Makes room for batches of `n` images, unless there is. @throws MemoryError */
  reserve(n: number): void {
    if (this.#plan && this.#plan.capacity >= n) return;
    this.#releasePlan();
    const { heap } = this.#runtime;
    const targets = heap.allocate(n * sizeOf(this.#graph.outputShape), "model: labels");
    try {
      this.#plan = createPlan(this.#runtime, this.#graph, this.#parameters, {
        capacity: n,
        training: { gradients: this.#gradients, backward: BACKWARD },
      });
      this.#targets = targets;
    } catch (error) {
      heap.free(targets);
      throw error;
    }
  }

  /** Copies image `index` of `images` and its label to place `at` of the next batch. */
  load(images: Float32Array, targets: Targets, index: number, at: number): void {
    const { heap } = this.#runtime;
    const size = sizeOf(this.#graph.inputShape);
    copyElements(images, index * size, heap.floats, (this.#plan!.input.pointer >>> 2) + at * size, size);
    const to = (this.#targets >>> 2) + at * targets.size;
    copyElements(
      targets.data,
      index * targets.size,
      targets.classes ? heap.ints : heap.floats,
      to,
      targets.size,
    );
  }

  /**
   * One step on the `n` images that were loaded. `where` names the caller.
   * @throws TrainingError when the loss or an updated weight is not finite; nothing has changed then.
   */
  step(where: string, n: number, classes: boolean): void {
    const plan = this.#plan!;
    const { kernels, heap } = this.#runtime;
    plan.randomKey.step = (this.#seedKey + Math.imul(this.steps + 1, GOLDEN)) >>> 0;
    plan.forward(n);
    const { outputShape } = this.#graph;
    const columns = outputShape[outputShape.length - 1]!;
    const rows = (n * sizeOf(outputShape)) / columns;
    const { pointer } = plan.output;
    const gradient = plan.outputGradient.pointer;
    this.loss.run(kernels, classes, pointer, this.#targets, gradient, rows, columns, this.#result);
    const loss = heap.doubles[this.#result >>> 3]!;
    if (!Number.isFinite(loss)) this.#refuse(where, `the loss is ${loss}`);
    plan.backward(n);
    if (!this.#update(0)) this.#refuse(where, "a gradient or an updated weight is not finite");
    this.#update(1);
    this.#parameters.revision++;
    this.steps++;
    this.lastLoss = loss;
    this.lastCorrect = heap.ints[(this.#result >>> 2) + 2]!;
  }

  #update(commit: 0 | 1): boolean {
    const { pointer, size } = this.#parameters;
    const { kernels } = this.#runtime;
    return this.#optimizer.step(kernels, pointer, this.#gradients, this.#states, size, this.steps, commit);
  }

  #refuse(where: string, what: string): never {
    const step = this.steps + 1;
    throw new TrainingError(
      `${where}: step ${step}: expected finite numbers, but ${what}. The weights are those after step ${this.steps}; ` +
        `a lower learning rate or scaled inputs may help`,
      step,
    );
  }

  /** Copies of the last step's gradients, by parameter. */
  readGradients(): Map<string, Tensor> {
    return this.#parameters.readAt(this.#gradients);
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
    this.#runtime.heap.free(this.#targets);
  }
}
