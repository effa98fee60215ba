import type { Runtime } from "../runtime/runtime.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Buffer } from "../layers/buffer.ts";
import { sizeOf } from "../tensor.ts";
import { outputsOf, type Graph, type GraphInput } from "./graph.ts";
import type { Named } from "./namedTensors.ts";
import type { Parameters } from "./parameters.ts";
import { createPlan, type Plan } from "./plan.ts";

/** The time of one pass in a run. */
export interface LayerTime {
  /** The name of the layer, or of the first of those that are fused into one pass. */
  readonly layer: string;
  readonly milliseconds: number;
}

/** The session of each view that a user may hold. It keeps the session, and so the view's memory, alive as long as the view. */
const sessionOf = new WeakMap<Float32Array | Int32Array | Uint8Array, Session>();

/** Keeps a session alive as long as a view of its memory is reachable. */
export function hold<View extends Float32Array | Int32Array | Uint8Array>(
  view: View,
  session: Session,
): View {
  sessionOf.set(view, session);
  return view;
}

/**
 * Inference on buffers that were planned once: fill `input`, call `run`, read `output`, or `inputs` and `outputs` by name.
 * Nothing is copied or allocated. The session reads the model's weights, so that a run after more training uses the new
 * ones.
 */
export class Session<Outputs extends string = string> {
  /** The most images of a run. */
  readonly batchSize: number;
  readonly #runtime: Runtime;
  readonly #parameters: Parameters;
  readonly #plan: Plan;
  readonly #onDispose: (session: Session<Outputs>) => void;
  #disposed = false;
  /** The revision of the weights for which the plan was last prepared. */
  #revision = 0;
  readonly #views: ReadonlyMap<Buffer, { readonly size: number; data: Float32Array | Uint8Array }>;
  /** Views of the inputs and of the outputs by their names; like `input` and `output`, they are to be read for each use. */
  readonly inputs: Named<Float32Array | Uint8Array>;
  readonly outputs: Readonly<Record<Outputs, Float32Array>>;

  /** @throws MemoryError */
  constructor(
    runtime: Runtime,
    graph: Graph,
    parameters: Parameters,
    batchSize: number,
    onDispose: (session: Session<Outputs>) => void = () => {},
  ) {
    this.#runtime = runtime;
    this.#parameters = parameters;
    this.batchSize = batchSize;
    this.#onDispose = onDispose;
    this.#plan = createPlan(runtime, graph, parameters, { capacity: batchSize });
    const views = new Map<Buffer, { readonly size: number; data: Float32Array | Uint8Array }>();
    const named = <Names extends string, Data>(
      ends: readonly GraphInput[],
      buffers: readonly Buffer[],
    ): Readonly<Record<Names, Data>> => {
      const record = {};
      ends.forEach(({ name, shape }, i) => {
        const buffer = buffers[i]!;
        const size = batchSize * sizeOf(shape);
        views.set(buffer, { size, data: this.#viewOf(buffer, size) });
        Object.defineProperty(record, name, { enumerable: true, get: () => this.#view(buffer) });
      });
      return record as Readonly<Record<Names, Data>>;
    };
    this.inputs = named<string, Float32Array | Uint8Array>(graph.inputs, this.#plan.inputs);
    this.outputs = named<Outputs, Float32Array>(outputsOf(graph), this.#plan.outputs);
    this.#views = views;
  }

  #viewOf({ pointer, dtype }: Buffer, size: number): Float32Array | Uint8Array {
    const { floats, bytes } = this.#runtime.heap;
    if (dtype === "uint8") return hold(bytes.subarray(pointer, pointer + size), this);
    return hold(floats.subarray(pointer >>> 2, (pointer >>> 2) + size), this);
  }

  #view(buffer: Buffer): Float32Array | Uint8Array {
    this.#check();
    const view = this.#views.get(buffer)!;
    if (view.data.buffer !== this.#runtime.heap.memory.buffer) view.data = this.#viewOf(buffer, view.size);
    return view.data;
  }

  #only(buffers: readonly Buffer[], what: string): Float32Array | Uint8Array {
    if (buffers.length === 1) return this.#view(buffers[0]!);
    throw new OptionError(
      `session.${what}: expected a model with one ${what}, got ${buffers.length}: use ${what}s`,
    );
  }

  /** A view of the batch's images, `[batchSize, h, w, c]`, bytes where the input is one of uint8. Read this property for each use: memory growth detaches views. */
  get input(): Float32Array | Uint8Array {
    return this.#only(this.#plan.inputs, "input");
  }

  /** A view of the outputs of the last run; read this property for each use. */
  get output(): Float32Array {
    return this.#only(this.#plan.outputs, "output") as Float32Array;
  }

  /**
   * Computes the outputs of the first `n` images.
   * @throws ShapeError unless `n` is from 1 to `batchSize`.
   */
  run(n: number = this.batchSize): void {
    this.#prepare("run", n);
    this.#plan.forward(n);
  }

  /**
   * Does the same as `run` and returns the time of each pass. Normalizations, residuals and activations that are fused into
   * the layer before them have no pass of their own, nor have views such as `flatten`.
   * @throws ShapeError
   */
  profile(n: number = this.batchSize): LayerTime[] {
    this.#prepare("profile", n);
    return this.#plan.passes.map(({ name, pass }) => {
      const started = performance.now();
      pass.forward(n);
      return { layer: name, milliseconds: performance.now() - started };
    });
  }

  #prepare(where: string, n: number): void {
    this.#check();
    if (!(Number.isInteger(n) && n >= 1 && n <= this.batchSize)) {
      throw new ShapeError(`session.${where}: expected from 1 to ${this.batchSize} images, got ${n}`);
    }
    const { revision } = this.#parameters;
    if (this.#revision !== revision) {
      this.#plan.prepare();
      this.#revision = revision;
    }
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
