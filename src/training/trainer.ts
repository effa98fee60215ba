import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { TrainingError } from "../errors.ts";
import type { Gradients } from "../layers/contract.ts";
import * as gradients from "../layers/gradients.ts";
import type { Loss } from "./losses/index.ts";
import type { Clip, Optimizer, OptimizerRun } from "./optimizers/index.ts";
import { sizeOf, type Tensor } from "../tensor.ts";
import { judgedOutputs, type Graph } from "../graph/graph.ts";
import { learningParameters } from "../graph/learning.ts";
import { readLaidOut, type Parameter, type Parameters } from "../graph/parameters.ts";
import { createPlan, type Plan } from "../graph/plan.ts";
import type { Targets } from "./targets.ts";

/** Elements of what a loss writes: float64 loss, int32 count of right rows. */
export const RESULT_SIZE = 4;

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

/** Elements of an image's output, and of a row of it. */
interface OutputSize {
  readonly size: number;
  readonly columns: number;
}

/** Weights that lie together and learn, their gradients too. */
interface Run {
  readonly first: Parameter;
  readonly size: number;
}

/** The learning among all parameters, in runs as long as they can be. */
function runsOf(parameters: Parameters, learning: ReadonlySet<Parameter>): Run[] {
  const runs: { first: Parameter; size: number }[] = [];
  let open: { first: Parameter; size: number } | undefined;
  for (const parameter of parameters.list) {
    const { offset, size, slot } = parameter;
    if (!learning.has(parameter)) {
      open = undefined;
      continue;
    }
    const begin = open?.first;
    // Weights that are shared with another model may lie elsewhere.
    const follows =
      begin?.slot.block === slot.block && slot.offset - begin.slot.offset === offset - begin.offset;
    if (!open || !follows) runs.push((open = { first: parameter, size: 0 }));
    open.size = offset + size - open.first.offset;
  }
  return runs;
}

/**
 * Training: a plan with gradients, the optimizer's state, and the step. After the first step of a batch size nothing is
 * allocated, neither in JavaScript nor in WebAssembly.
 */
export class Trainer {
  /** Names the random draws of the run: the order of each epoch and the masks of dropout. */
  readonly seed: number;
  /** Of each output that has one. */
  readonly losses: readonly Loss[];
  /** Steps and epochs done. */
  steps = 0;
  epochs = 0;
  /** Mean loss, the sum of all outputs', and number of right rows of the last batch. */
  lastLoss = 0;
  lastCorrect = 0;
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #region: Region;
  readonly #optimizer: OptimizerRun;
  readonly #clip: Clip | undefined;
  /** As `trainable` of the layers was when the model was compiled. */
  readonly #trainable: readonly boolean[];
  readonly #learning: ReadonlySet<Parameter>;
  readonly #runs: readonly Run[];
  readonly #states: readonly number[];
  /** The states of one run, the same array for all steps. */
  readonly #runStates: number[] = [];
  readonly #gradients: number;
  readonly #results: number;
  readonly #outputs: readonly OutputSize[];
  #plan: Plan | undefined;
  /** The revision of the weights for which the frozen layers of the plan are prepared. */
  #revision = 0;
  /** Addresses of the labels, by output, as long as the plan lives. */
  #targets: number[] = [];

  /** @throws MemoryError, with everything freed. */
  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    optimizer: Optimizer,
    losses: readonly Loss[],
    seed: number,
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.losses = losses;
    this.#outputs = judgedOutputs(graph).map(({ shape }) => ({
      size: sizeOf(shape),
      columns: shape.at(-1)!,
    }));
    this.seed = seed;
    this.#trainable = graph.nodes.map(({ layer }) => layer.trainable);
    this.#learning = learningParameters(graph, parameters);
    this.#runs = runsOf(parameters, this.#learning);
    this.#region = new KeptRegion(runtime.heap, "model: gradients and optimizer state");
    try {
      this.#gradients = this.#region.zeros(parameters.size);
      this.#states = Array.from({ length: optimizer.states }, () => this.#region.zeros(parameters.size));
      this.#results = this.#region.allocate(RESULT_SIZE * losses.length);
    } catch (error) {
      this.#region.release();
      throw error;
    }
    this.#optimizer = optimizer.start();
    this.#clip = optimizer.clip;
  }

  /** Makes room for batches of `n` images, unless there is. @throws MemoryError */
  reserve(n: number): void {
    if (this.#plan && this.#plan.capacity >= n) return;
    this.#releasePlan();
    const plan = createPlan(this.#runtime, this.#graph, this.#parameters, {
      capacity: n,
      training: {
        gradients: this.#gradients,
        layerGradients: new Map(Object.entries(gradients)) satisfies Gradients,
        learning: this.#learning,
        trainable: this.#trainable,
      },
    });
    const targets: number[] = [];
    try {
      for (const { size } of this.#outputs) targets.push(plan.allocate(n * size));
    } catch (error) {
      plan.dispose();
      throw error;
    }
    plan.batchKey.seedLow = this.seed >>> 0;
    plan.batchKey.seedHigh = Math.floor(this.seed / 2 ** 32);
    this.#plan = plan;
    this.#targets = targets;
    this.#revision = 0;
  }

  /** Copies image `index` of each input and its labels to place `at` of the next batch. */
  load(images: readonly Tensor[], targets: readonly Targets[], index: number, at: number): void {
    const { heap } = this.#runtime;
    const { inputs } = this.#graph;
    for (let i = 0; i < images.length; i++) {
      const size = sizeOf(inputs[i]!.shape);
      const to = (this.#plan!.inputs[i]!.pointer >>> 2) + at * size;
      copyElements(images[i]!.data, index * size, heap.floats, to, size);
    }
    for (let i = 0; i < targets.length; i++) {
      const { classes, data, size } = targets[i]!;
      const to = (this.#targets[i]! >>> 2) + at * size;
      copyElements(data, index * size, classes ? heap.ints : heap.floats, to, size);
    }
  }

  /**
   * One step on the `n` images that were loaded with these targets. `where` names the caller.
   * @throws TrainingError when the loss or an updated weight is not finite; nothing has changed then.
   */
  step(where: string, n: number, targets: readonly Targets[]): void {
    const plan = this.#plan!;
    plan.batchKey.step = this.steps;
    if (this.#revision !== this.#parameters.revision) plan.prepare();
    plan.forward(n);
    let loss = 0;
    let correct = 0;
    for (let i = 0; i < targets.length; i++) {
      loss += this.#judge(i, n, targets[i]!.classes);
      correct += this.#runtime.heap.ints[(this.#resultAt(i) >>> 2) + 2]!;
    }
    if (!Number.isFinite(loss)) this.#refuse(where, `the loss is ${loss}`);
    plan.backward(n);
    const bounded = !this.#clip || this.#clipGradients(this.#clip);
    this.#optimizer.begin(this.steps);
    const finite = bounded && this.#update(0) && plan.update(n, false);
    if (!finite) this.#refuse(where, "a gradient or an updated weight is not finite");
    this.#update(1);
    plan.update(n, true);
    // The step changes nothing that was prepared.
    this.#revision = this.#parameters.changed();
    this.steps++;
    this.lastLoss = loss;
    this.lastCorrect = correct;
  }

  #resultAt(output: number): number {
    return this.#results + output * RESULT_SIZE * 4;
  }

  /** The mean loss of one output; writes its gradient. */
  #judge(i: number, n: number, classes: boolean): number {
    const { outputs, outputGradients } = this.#plan!;
    const { kernels, heap } = this.#runtime;
    const { size, columns } = this.#outputs[i]!;
    const y = outputs[this.#graph.judged[i]!]!.pointer;
    const [dy, result] = [outputGradients[i]!.pointer, this.#resultAt(i)];
    this.losses[i]!.run(kernels, classes, y, this.#targets[i]!, dy, (n * size) / columns, columns, result);
    return heap.doubles[result >>> 3]!;
  }

  #update(commit: 0 | 1): boolean {
    let finite = true;
    for (let i = 0; i < this.#runs.length; i++) {
      const { first, size } = this.#runs[i]!;
      const at = first.offset * 4;
      for (let j = 0; j < this.#states.length; j++) this.#runStates[j] = this.#states[j]! + at;
      const [w, g] = [this.#parameters.addressOf(first), this.#gradients + at];
      finite = this.#optimizer.step(this.#runtime.kernels, w, g, this.#runStates, size, commit) && finite;
    }
    return finite;
  }

  /** Returns whether all of them were finite: a bound would make a number of an infinite one. */
  #clipGradients({ norm, value }: Clip): boolean {
    const { kernels } = this.#runtime;
    let squares = 0;
    for (const { first, size } of this.#runs) {
      squares += kernels.sumOfSquares(this.#gradients + first.offset * 4, size);
    }
    const length = Math.sqrt(squares);
    const scale = length > norm ? norm / length : 1;
    for (const { first, size } of this.#runs) {
      kernels.clipGradient(this.#gradients + first.offset * 4, size, scale, value);
    }
    // Squares of float32 do not overflow in float64.
    return Number.isFinite(squares);
  }

  #refuse(where: string, what: string): never {
    const step = this.steps + 1;
    throw new TrainingError(
      `${where}: step ${step}: expected finite numbers, but ${what}. The weights are those after step ${this.steps}; ` +
        `a lower learning rate or scaled inputs may help`,
      step,
    );
  }

  /** Copies of the last step's gradients, by parameter that learns. */
  readGradients(): Map<string, Tensor> {
    return readLaidOut(this.#runtime.heap.floats.subarray(this.#gradients >>> 2), this.#learning);
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
    this.#targets = [];
  }
}
