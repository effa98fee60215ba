import type { KernelEngine } from "../engine/engine.ts";
import type { Runtime } from "../engine/runtime.ts";
import { ShapeError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { checkOptions, positiveInteger, show } from "../options.ts";
import { checkTensor, expectShape, isBatchOf, sizeOf, type Shape, type Tensor } from "../tensor.ts";
import { checkEngine } from "./compile.ts";
import type { Graph } from "./graph.ts";
import { Inference } from "./inference.ts";
import { Parameters } from "./parameters.ts";
import { Session } from "./session.ts";
import { summarize } from "./summary.ts";

/** Images in a batch of `predict` and `evaluate`. Outputs do not depend on it. */
export const DEFAULT_BATCH = 64;

/** A model on an engine. */
interface Placed {
  readonly runtime: Runtime;
  /** Behind `predict` and `evaluate`. */
  readonly inference: Inference;
}

/**
 * A net with its weights, for inference. `compile` puts it on an engine; from then on its buffers are planned once for
 * each batch size. All methods throw errors that name the place, the expected and the given.
 */
export class InferenceModel {
  protected readonly graph: Graph;
  protected readonly parameters: Parameters;
  readonly #sessions = new Set<Session>();
  #placed: Placed | undefined;

  /** Users call `loadModel`. Without `weights` they are zero. @throws ShapeError unless they are the graph's */
  constructor(graph: Graph, weights?: ReadonlyMap<string, Tensor>) {
    this.graph = graph;
    this.parameters = new Parameters(graph);
    if (weights) this.parameters.write("model", weights);
  }

  /** Shape of one image. */
  get inputShape(): Shape {
    return [...this.graph.inputShape];
  }

  /** Shape of one image's output. */
  get outputShape(): Shape {
    return [...this.graph.outputShape];
  }

  /** Copies of the weights, by `layer.weight`. */
  get weights(): Map<string, Tensor> {
    return this.parameters.read();
  }

  /**
   * Puts the model on an engine. Compiling again keeps the weights and disposes of the model's sessions.
   * @throws OptionError, MemoryError
   */
  compile(options: { engine: KernelEngine }): void {
    checkOptions("compile", options, ["engine"]);
    this.place(checkEngine(options.engine));
  }

  /** The outputs for `images[n, h, w, c]`. @throws ShapeError, OptionError */
  predict(images: Tensor, options: { batchSize?: number } = {}): Tensor {
    checkOptions("predict", options, ["batchSize"]);
    const batchSize = positiveInteger("predict: batchSize", options.batchSize ?? DEFAULT_BATCH);
    const { inference } = this.placed("predict");
    const n = this.checkImages("predict: images", images);
    const size = sizeOf(this.graph.outputShape);
    const data = new Float32Array(n * size);
    for (const { output, start } of inference.batches(images.data, batchSize)) {
      data.set(output, start * size);
    }
    return { shape: [n, ...this.graph.outputShape], data };
  }

  /** Inference on buffers of its own. @throws OptionError, MemoryError */
  session(options: { batchSize?: number } = {}): Session {
    checkOptions("session", options, ["batchSize"]);
    const { runtime } = this.placed("session");
    const batchSize = positiveInteger("session: batchSize", options.batchSize ?? 1);
    const forget = (session: Session): boolean => this.#sessions.delete(session);
    const session = new Session(runtime, this.graph, this.parameters, batchSize, forget);
    this.#sessions.add(session);
    return session;
  }

  /** The layers, their shapes and weights as a table. */
  summary(): string {
    return summarize(this.graph, this.parameters);
  }

  /**
   * Replaces the weights by those of a file, which need not hold an architecture; all or none.
   * @throws FormatError when the file is broken, ShapeError when its weights are not this model's.
   */
  loadSafetensors(bytes: Uint8Array): void {
    this.parameters.write("loadSafetensors", decodeSafetensors(bytes).tensors);
  }

  /** Replaces the weights; all or none. @throws ShapeError naming the weight */
  setWeights(weights: ReadonlyMap<string, Tensor>): void {
    if (!(weights instanceof Map)) {
      throw new ShapeError(`setWeights: expected a Map of tensors by name, got ${show(weights)}`);
    }
    for (const [name, weight] of weights) checkTensor(`setWeights: ${name}`, weight);
    this.parameters.write("setWeights", weights);
  }

  /** Takes the model off its engine and frees its memory there. The weights are kept; `compile` may follow. */
  dispose(): void {
    this.release();
    this.parameters.leave();
  }

  /** Moves the weights to an engine's memory; what was made on the one before is freed. @throws MemoryError */
  protected place(runtime: Runtime): void {
    this.release();
    this.parameters.move(runtime);
    this.#placed = { runtime, inference: new Inference(runtime, this.graph, this.parameters) };
  }

  /** The engine's side of the model. @throws Error naming `where` unless it is compiled and the engine lives. */
  protected placed(where: string): Placed {
    if (!this.#placed) throw new Error(`${where}: expected a compiled model, got one without an engine`);
    if (this.#placed.runtime.disposed) {
      throw new Error(`${where}: expected a live engine, got one that was disposed`);
    }
    return this.#placed;
  }

  /** Frees what was made on the engine, but for the weights. */
  protected release(): void {
    for (const session of this.#sessions) session.dispose();
    this.#placed?.inference.dispose();
    this.#placed = undefined;
  }

  /** @throws ShapeError unless `images` is `[n, ...inputShape]`; returns n. */
  protected checkImages(where: string, images: Tensor): number {
    checkTensor(where, images);
    const n = images.shape[0];
    if (n === undefined) throw new ShapeError(`${where}: expected a batch of images, got a single number`);
    if (!isBatchOf(images.shape, this.graph.inputShape))
      expectShape(where, images.shape, [n, ...this.graph.inputShape]);
    return n;
  }
}
