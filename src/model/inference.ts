import { Region } from "../engine/region.ts";
import type { Runtime } from "../engine/runtime.ts";
import type { Loss } from "../losses/index.ts";
import { sizeOf } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import { Session } from "./session.ts";
import type { Targets } from "./targets.ts";
import { copyElements, RESULT_SIZE } from "./trainer.ts";

/** What `evaluate` finds over a set of images. */
export interface Evaluation {
  /** Mean loss of a row. */
  loss: number;
  /** Share of the rows whose largest element is where the target's is; 0 when a row has one element. */
  accuracy: number;
}

/** One batch of a run over many images: a view of its outputs, its first image and the number of them. */
export interface Batch {
  readonly output: Float32Array;
  readonly start: number;
  readonly count: number;
}

/** Runs over any number of images in batches, on one session that is made larger when need be. */
export class Inference {
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  #session: Session | undefined;

  constructor(runtime: Runtime, graph: Graph, parameters: Parameters) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
  }

  #sessionFor(batchSize: number): Session {
    if (!this.#session || this.#session.batchSize < batchSize) {
      this.dispose();
      this.#session = new Session(this.#runtime, this.#graph, this.#parameters, batchSize);
    }
    return this.#session;
  }

  /**
   * Yields each batch after it ran. The session is asked for anew each time: whoever is called in between may have made
   * it larger.
   */
  *batches(images: Float32Array, batchSize: number): Generator<Batch> {
    const size = sizeOf(this.#graph.inputShape);
    const n = images.length / size;
    for (let start = 0; start < n; start += batchSize) {
      const count = Math.min(batchSize, n - start);
      const session = this.#sessionFor(Math.min(n, batchSize));
      session.input.set(images.subarray(start * size, (start + count) * size));
      session.run(count);
      yield { output: session.output, start, count };
    }
  }

  /** Mean loss and accuracy; yields after each batch. */
  *evaluate(
    images: Float32Array,
    targets: Targets,
    loss: Loss,
    batchSize: number,
  ): Generator<void, Evaluation> {
    let [lossSum, correct, rows] = [0, 0, 0];
    for (const batch of this.batches(images, batchSize)) {
      const result = this.#lossOf(batch, targets, loss);
      lossSum += result.loss * result.rows;
      correct += result.correct;
      rows += result.rows;
      yield;
    }
    return { loss: lossSum / rows, accuracy: correct / rows };
  }

  /** The mean loss of one batch's rows of output. */
  #lossOf({ output, start, count }: Batch, { classes, data, size }: Targets, loss: Loss) {
    const { heap, kernels } = this.#runtime;
    const { outputShape } = this.#graph;
    const columns = outputShape.at(-1)!;
    const rows = (count * sizeOf(outputShape)) / columns;
    const { byteOffset } = output;
    const region = new Region(heap, "evaluate: labels");
    try {
      const labels = region.room(count * size);
      copyElements(data, start * size, classes ? heap.ints : heap.floats, labels >>> 2, count * size);
      const result = region.room(RESULT_SIZE);
      loss.run(kernels, classes, byteOffset, labels, 0, rows, columns, result);
      return { loss: heap.doubles[result >>> 3]!, correct: heap.ints[(result >>> 2) + 2]!, rows };
    } finally {
      region.release();
    }
  }

  /** Frees the session's buffers. */
  dispose(): void {
    this.#session?.dispose();
    this.#session = undefined;
  }
}
