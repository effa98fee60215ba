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
  #disposed = false;
  /** True while a batch is computed and its outputs are read: the session's buffers are taken. */
  #busy = false;

  constructor(runtime: Runtime, graph: Graph, parameters: Parameters) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
  }

  #sessionFor(batchSize: number): Session {
    if (!this.#session || this.#session.batchSize < batchSize) {
      this.#session?.dispose();
      this.#session = undefined;
      this.#session = new Session(this.#runtime, this.#graph, this.#parameters, batchSize);
    }
    return this.#session;
  }

  /** Tells the weights apart from those of another time. */
  get revision(): number {
    return this.#parameters.revision;
  }

  /**
   * Runs batch by batch, calls `read` with each and yields after it. Code that runs between two batches may run others here;
   * so the session is looked up again, because a larger one may have replaced it. `where` names the caller,
   * `revision` the weights that are expected.
   * @throws Error when the weights changed between two batches, or the model or its engine was disposed of: the outputs
   * would be those of no one net; or within a batch, when a metric calls the model that it measures; ShapeError when images
   * were detached
   */
  *batches(
    where: string,
    images: readonly (Float32Array | Uint8Array)[],
    batchSize: number,
    read: (batch: Batch) => void,
    revision = this.revision,
  ): Generator<void, void> {
    const n = images[0]!.length / sizeOf(this.#graph.inputs[0]!.shape);
    for (let start = 0; start < n; start += batchSize) {
      this.expectRest(where);
      this.#expectSame(where, revision);
      this.#busy = true;
      try {
        read(this.#run(images, n, start, batchSize));
      } finally {
        this.#busy = false;
      }
      yield;
    }
  }

  /** Computes the batch of `n` images that begins at `start`. @throws ShapeError, MemoryError */
  #run(images: readonly (Float32Array | Uint8Array)[], n: number, start: number, batchSize: number): Batch {
    const count = Math.min(batchSize, n - start);
    const session = this.#sessionFor(Math.min(n, batchSize));
    this.#graph.inputs.forEach(({ name, shape }, i) => {
      const size = sizeOf(shape);
      expectAttached(images[i]!, n * size);
      session.inputs[name]!.set(images[i]!.subarray(start * size, (start + count) * size));
    });
    session.run(count);
    const outputs = outputsOf(this.#graph).map(({ name, shape }) =>
      session.outputs[name]!.subarray(0, count * sizeOf(shape)),
    );
    return { outputs, start, count };
  }

  /** @throws Error within a batch, whose outputs are still to be read: a metric may call the model that it measures */
  expectRest(where: string): void {
    if (!this.#busy) return;
    throw new Error(`${where}: expected a model between two batches, got one within a batch, as in a metric`);
  }

  /** @throws Error unless the model is on its engine and its weights are those of this revision */
  #expectSame(where: string, revision: number): void {
    if (this.#runtime.disposed) {
      throw new Error(`${where}: expected a live engine to the end, got one that was disposed`);
    }
    if (this.#disposed) {
      throw new Error(
        `${where}: expected the model to the end, got one that was disposed or compiled again meanwhile`,
      );
    }
    if (this.#parameters.revision !== revision) {
      throw new Error(
        `${where}: expected the same weights to the end, got others meanwhile, as training or setWeights() leave them`,
      );
    }
  }

  /** Frees the session's buffers, and ends what runs in batches. */
  dispose(): void {
    this.#disposed = true;
    this.#session?.dispose();
    this.#session = undefined;
  }
}
