import type { Runtime } from "../engine/runtime.ts";
import { ShapeError } from "../errors.ts";
import { sizeOf } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";
import { createPlan, type Plan } from "./plan.ts";

/**
 * Inference on buffers that were planned once: fill `input`, call `run`, read `output`. Nothing is copied or allocated.
 * The weights are the model's: after more training the next run uses the new ones.
 */
export class Session {
  /** The most images in a run. */
  readonly batchSize: number;
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #parameters: Parameters;
  readonly #plan: Plan;
  readonly #onDispose: (session: Session) => void;
  #disposed = false;
  /** The revision of the weights that the plan is prepared for. */
  #revision = 0;
  #input: Float32Array;
  #output: Float32Array;

  /** @throws MemoryError */
  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    batchSize: number,
    onDispose: (session: Session) => void = () => {},
  ) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#parameters = parameters;
    this.batchSize = batchSize;
    this.#onDispose = onDispose;
    this.#plan = createPlan(runtime, graph, parameters, { capacity: batchSize });
    this.#input = this.#view(this.#plan.input.pointer, sizeOf(graph.inputShape));
    this.#output = this.#view(this.#plan.output.pointer, sizeOf(graph.outputShape));
  }

  #view(pointer: number, size: number): Float32Array {
    const first = pointer >>> 2;
    return this.#runtime.heap.floats.subarray(first, first + this.batchSize * size);
  }

  /** The batch's images, `[batchSize, h, w, c]`. Take it anew for each use: memory growth detaches views. */
  get input(): Float32Array {
    this.#check();
    if (this.#input.buffer !== this.#runtime.heap.memory.buffer) {
      this.#input = this.#view(this.#plan.input.pointer, sizeOf(this.#graph.inputShape));
    }
    return this.#input;
  }

  /** The outputs of the last run; a view as `input` is. */
  get output(): Float32Array {
    this.#check();
    if (this.#output.buffer !== this.#runtime.heap.memory.buffer) {
      this.#output = this.#view(this.#plan.output.pointer, sizeOf(this.#graph.outputShape));
    }
    return this.#output;
  }

  /**
   * Computes the outputs of the first `n` images.
   * @throws ShapeError unless `n` is from 1 to `batchSize`.
   */
  run(n: number = this.batchSize): void {
    this.#check();
    if (!(Number.isInteger(n) && n >= 1 && n <= this.batchSize)) {
      throw new ShapeError(`session.run: expected from 1 to ${this.batchSize} images, got ${n}`);
    }
    const { revision } = this.#parameters;
    if (this.#revision !== revision) {
      this.#plan.prepare();
      this.#revision = revision;
    }
    this.#plan.forward(n);
  }

  /** Frees the buffers. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#runtime.disposed) this.#plan.dispose();
    this.#onDispose(this);
  }

  #check(): void {
    if (this.#disposed) throw new Error("session: expected a live session, got one that was disposed");
    if (this.#runtime.disposed) throw new Error("session: expected a live engine, got one that was disposed");
  }
}
