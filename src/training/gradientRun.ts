/** Gradients outside of training steps: those of the inputs, and those that `checkGradients` holds against differences. */
import { OptionError } from "../errors.ts";
import { lossOutputsOf, type Graph } from "../graph/graph.ts";
import { barrierOf, learningValues } from "../graph/learning.ts";
import type { Parameter, Parameters } from "../graph/parameters.ts";
import { KeptRegion, type Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { sizeOf, type OwnTensor, type Tensor } from "../tensor.ts";
import type { TrainingBatch } from "./batch.ts";
import { loadBatch } from "./loadBatch.ts";
import { meanLoss, RESULT_ELEMENTS } from "./losses/loss.ts";
import { runLoss } from "./losses/run.ts";
import type { LossOutput } from "./objective.ts";
import { planTraining, type TrainingPlan } from "./plan.ts";

/** A weight whose gradient a run computes. */
export interface Learning {
  readonly parameter: Parameter;
  readonly layer: string;
  readonly weight: string;
}

/** What a run computes the gradients of, besides the inputs. */
export interface GradientRunOptions {
  /** The most images in a batch. */
  readonly capacity: number;
  /** The weights whose gradients are computed as well. */
  readonly learning: ReadonlySet<Parameter>;
  /** True for the net as it is in inference: without dropout, normalized by moving statistics. */
  readonly asInference: boolean;
  readonly seed: number;
  /** The outputs with their losses; none when the gradients of the outputs are given. */
  readonly outputs: readonly LossOutput[];
}

/**
 * A net with the gradients of its inputs, and of weights, in a plan of its own. A batch runs forward, then backward; nothing
 * of the model changes.
 */
export class GradientRun {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #outputs: readonly LossOutput[];
  readonly #learning: ReadonlySet<Parameter>;
  readonly #ofInputs: boolean;
  readonly #plan: TrainingPlan;
  readonly #region: Region;
  #gradients = 0;
  readonly #results: number;
  #revision = 0;
  #count = 0;

  /** @throws MemoryError, with everything freed; OptionError naming a layer without a backward pass. */
  constructor(
    where: string,
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    { capacity, learning, asInference, seed, outputs }: GradientRunOptions,
  ) {
    const barrier = barrierOf(graph, learningValues(graph, learning, true), !asInference);
    // Behind augmentation weights learn, although the images have no gradient.
    const ofInputs = barrier === undefined;
    const behind = barrier && barrierOf(graph, learningValues(graph, learning), !asInference);
    if (barrier && (behind || learning.size === 0)) {
      throw new OptionError(
        `${where}: expected layers with a backward pass, got ${barrier.name} (${barrier.layer.type}) without one`,
      );
    }
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.#outputs = outputs;
    this.#learning = learning;
    this.#ofInputs = ofInputs;
    const region = (this.#region = new KeptRegion(runtime.heap, "model: gradients"));
    try {
      if (learning.size > 0) this.#gradients = region.zeros(parameters.size);
      this.#results = region.allocate(RESULT_ELEMENTS * outputs.length);
      const target = { capacity, pointer: this.#gradients, learning, ofInputs, asInference };
      const trainable = graph.nodes.map(({ layer }) => !asInference && layer.trainable);
      this.#plan = planTraining(runtime, graph, parameters, { target, trainable, outputs, seed });
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /** The most images of a batch. */
  get capacity(): number {
    return this.#plan.capacity;
  }

  /** Runs a batch forward. */
  forward(batch: TrainingBatch): void {
    const plan = this.#plan;
    this.#count = batch.count;
    loadBatch(this.#runtime.heap, this.#graph, plan, batch);
    const { revision } = this.#parameters;
    if (this.#revision !== revision) plan.prepare();
    this.#revision = revision;
    plan.forward(batch.count);
  }

  /** The loss of the batch that ran forward, the sum of all outputs'. The losses leave the gradients of the outputs. */
  loss(batch: TrainingBatch): number {
    const { outputs, outputGradients, labels } = this.#plan;
    return this.#outputs.reduce((sum, output, i) => {
      const result = this.#results + i * RESULT_ELEMENTS * 4;
      const [x, dx] = [outputs[output.index]!.pointer, outputGradients[i]!.pointer];
      runLoss(this.#runtime, output, batch.targets[i]!, x, labels[i]!, dx, batch.count, batch, result);
      return sum + meanLoss(this.#runtime.heap, result);
    }, 0);
  }

  /** Gives the gradients of the outputs that can have a loss, in their order; absent ones are zero. */
  giveGradients(seeds: readonly (Tensor | undefined)[]): void {
    const { floats } = this.#runtime.heap;
    lossOutputsOf(this.#graph).forEach(({ shape }, i) => {
      const at = this.#plan.outputGradients[i]!.pointer >>> 2;
      const own = floats.subarray(at, at + this.#count * sizeOf(shape));
      const seed = seeds[i];
      if (seed) own.set(seed.data);
      else own.fill(0);
    });
  }

  /** Σ |y·dy| over the outputs with a loss, after `forward`: how much relative errors of the outputs weigh in the loss. */
  magnitude(): number {
    const { floats } = this.#runtime.heap;
    let sum = 0;
    this.#outputs.forEach(({ index, size }, i) => {
      const y = this.#plan.outputs[index]!.pointer >>> 2;
      const dy = this.#plan.outputGradients[i]!.pointer >>> 2;
      for (let j = 0; j < this.#count * size; j++) sum += Math.abs(floats[y + j]! * floats[dy + j]!);
    });
    return sum;
  }

  /** Runs the batch backward, from the gradients of the outputs. */
  backward(): void {
    this.#plan.backward(this.#count);
  }

  /** A copy of the gradient of each input; zeros where no gradient comes. */
  inputGradients(): OwnTensor[] {
    const { floats } = this.#runtime.heap;
    return this.#graph.inputs.map(({ shape }, i) => {
      const own = [this.#count, ...shape];
      const buffer = this.#plan.inputGradients[i];
      if (!buffer) return { shape: own, data: new Float32Array(sizeOf(own)) };
      const at = buffer.pointer >>> 2;
      return { shape: own, data: floats.slice(at, at + sizeOf(own)) };
    });
  }

  /** The weights whose gradients are computed, each with the name of its layer and its own. */
  get learning(): readonly Learning[] {
    return Array.from(this.#learning, (parameter) => {
      const layer = this.#graph.nodes[parameter.node]!.name;
      return { parameter, layer, weight: parameter.name.slice(layer.length + 1) };
    });
  }

  /**
   * The names of the inputs; undefined for one without a gradient, of integers or in front of augmentation, and for one of bytes,
   * which have no differences to compare with.
   */
  get inputs(): readonly (string | undefined)[] {
    return this.#graph.inputs.map(({ name }, i) =>
      this.#ofInputs && this.#graph.types[i] === "float32" ? name : undefined,
    );
  }

  /** A copy of the gradient of a weight. */
  gradientOf({ offset, size }: Parameter): Float32Array {
    const at = (this.#gradients >>> 2) + offset;
    return this.#runtime.heap.floats.slice(at, at + size);
  }

  /** A view of a weight in the memory, which growth detaches. */
  weightOf(parameter: Parameter): Float32Array {
    const at = this.#parameters.addressOf(parameter) >>> 2;
    return this.#runtime.heap.floats.subarray(at, at + parameter.size);
  }

  /** Frees its buffers, unless they went with the engine. */
  dispose(): void {
    if (this.#runtime.disposed) return;
    this.#plan.dispose();
    this.#region.release();
  }
}
