/** Computes the gradients of a model's inputs in buffers that serve further calls. */
import type { OwnTensor } from "../tensor.ts";
import type { TrainingBatch } from "../training/batch.ts";
import type { GradientRun } from "../training/gradientRun.ts";
import type { Seeds } from "./outputGradients.ts";

/** What `inputGradients` of one model runs. */
export class InputGradients {
  /** It has buffers for the largest batch so far. */
  #run: GradientRun | undefined;

  /** True when it holds memory of the engine. */
  get inUse(): boolean {
    return this.#run !== undefined;
  }

  /**
   * The gradients of the images of a batch, of the loss for its labels or by the gradients of the outputs, `seeds`. `create`
   * makes a run for batches that are larger than all before. @throws ShapeError; what `create` throws
   */
  compute(
    batch: TrainingBatch,
    seeds: Seeds | undefined,
    create: (capacity: number) => GradientRun,
  ): OwnTensor[] {
    seeds?.check(batch.count);
    const run = this.#reserve(batch.count, create);
    run.forward(batch);
    if (seeds) run.giveGradients(seeds.tensors);
    else run.loss(batch);
    run.backward();
    return run.inputGradients();
  }

  #reserve(count: number, create: (capacity: number) => GradientRun): GradientRun {
    if (this.#run && this.#run.capacity >= count) return this.#run;
    this.dispose();
    return (this.#run = create(count));
  }

  dispose(): void {
    this.#run?.dispose();
    this.#run = undefined;
  }
}
