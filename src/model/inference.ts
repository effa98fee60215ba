import type { Runtime } from "../engine/runtime.ts";
import { sizeOf } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import { Session } from "./session.ts";

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
    const outputSize = sizeOf(this.#graph.outputShape);
    const n = images.length / size;
    for (let start = 0; start < n; start += batchSize) {
      const count = Math.min(batchSize, n - start);
      const session = this.#sessionFor(Math.min(n, batchSize));
      session.input.set(images.subarray(start * size, (start + count) * size));
      session.run(count);
      yield { output: session.output.subarray(0, count * outputSize), start, count };
    }
  }

  /** Frees the session's buffers. */
  dispose(): void {
    this.#session?.dispose();
    this.#session = undefined;
  }
}
