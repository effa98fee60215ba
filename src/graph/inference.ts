import type { Runtime } from "../runtime/runtime.ts";
import { expectAttached, sizeOf } from "../tensor.ts";
import { outputsOf, type Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import { Session } from "./session.ts";

/** One batch of a run over many images: views of its outputs, the index of its first image, and the number of images. */
export interface Batch {
  readonly outputs: readonly Float32Array[];
  readonly start: number;
  readonly count: number;
}

/** Runs a graph over any number of images in batches, on one session, which is replaced when a larger batch needs it. */
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
   * Yields each batch after it ran. The session is looked up again for each batch, because the code that runs between two
   * batches may have replaced it by a larger one.
   */
  *batches(images: readonly Float32Array[], batchSize: number): Generator<Batch> {
    const { inputs } = this.#graph;
    const ends = outputsOf(this.#graph);
    const n = images[0]!.length / sizeOf(inputs[0]!.shape);
    for (let start = 0; start < n; start += batchSize) {
      const count = Math.min(batchSize, n - start);
      const session = this.#sessionFor(Math.min(n, batchSize));
      inputs.forEach(({ name, shape }, i) => {
        const size = sizeOf(shape);
        expectAttached(images[i]!, n * size);
        session.inputs[name]!.set(images[i]!.subarray(start * size, (start + count) * size));
      });
      session.run(count);
      const outputs = ends.map(({ name, shape }) =>
        session.outputs[name]!.subarray(0, count * sizeOf(shape)),
      );
      yield { outputs, start, count };
    }
  }

  /** Frees the session's buffers. */
  dispose(): void {
    this.#session?.dispose();
    this.#session = undefined;
  }
}
