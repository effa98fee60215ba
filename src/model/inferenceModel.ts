import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { checkOptions, positiveInteger, show } from "../options.ts";
import { shapeText, isBatchOf, readTensor, sizeOf, type Filled, type Shape, type Tensor } from "../tensor.ts";
import { checkAlgorithms, checkEngine } from "../training/compile.ts";
import { outputsOf, type Graph, type GraphInput } from "../graph/graph.ts";
import { Inference } from "../graph/inference.ts";
import { byName, inOrder, isNamed, placeOf, type Named } from "../graph/namedTensors.ts";
import { Parameters } from "../graph/parameters.ts";
import { Session } from "../graph/session.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import { summarize } from "./summary.ts";

/** Images in a batch of `predict` and `evaluate`. Outputs do not depend on it. */
export const DEFAULT_BATCH = 64;

/** The one thing there is. @throws OptionError naming `where` when there are several */
export function onlyOne<T>(where: string, things: readonly T[]): T {
  if (things.length === 1) return things[0]!;
  throw new OptionError(`${where}: expected a model with one, got ${things.length}`);
}

/** A model on an engine. */
interface Placed {
  readonly runtime: Runtime;
  readonly graph: Graph;
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
  readonly #inputNames: readonly string[];
  readonly #sessions = new Set<Session>();
  /** The tensors passed to `checkImages`: the same list for all training steps. */
  readonly #given: Tensor[] = [];
  #placed: Placed | undefined;

  /**
   * Users call `loadModel`. Weights are given, or made by name, but for those that are `shared` with other models.
   * @throws ShapeError unless they are the graph's
   */
  constructor(
    graph: Graph,
    weights: ReadonlyMap<string, Tensor> | ((name: string) => Float32Array),
    shared?: SharedSlots,
  ) {
    this.graph = graph;
    this.#inputNames = graph.inputs.map(({ name }) => name);
    this.parameters = new Parameters(graph, typeof weights === "function" ? weights : undefined, shared);
    if (typeof weights !== "function") this.parameters.write("model", weights);
  }

  /** Whether it is on an engine. */
  get isCompiled(): boolean {
    return this.#placed !== undefined;
  }

  /** Whether somebody counts on what it has on its engine: it has sessions. */
  get inUse(): boolean {
    return this.#sessions.size > 0;
  }

  /** Name and shape for one image of each input. */
  get inputs(): GraphInput[] {
    return this.graph.inputs.map(({ name, shape }) => ({ name, shape: [...shape] }));
  }

  /** Name and shape for one image of each output, which is called as its layer. */
  get outputs(): GraphInput[] {
    return outputsOf(this.graph).map(({ name, shape }) => ({ name, shape: [...shape] }));
  }

  /** Shape of one image. @throws OptionError when there are several inputs */
  get inputShape(): Shape {
    return onlyOne("inputShape", this.inputs).shape;
  }

  /** Shape of one image's output. @throws OptionError when there are several */
  get outputShape(): Shape {
    return onlyOne("outputShape", this.outputs).shape;
  }

  /** Copies of the weights, by `layer.weight`. */
  get weights(): Map<string, Tensor> {
    return this.parameters.read();
  }

  /**
   * Puts the model on an engine. Compiling again keeps the weights and disposes of the model's sessions.
   * @throws OptionError, MemoryError; Error when the weights went with an engine that was disposed
   */
  compile(options: { engine: KernelEngine; algorithm?: ConvAlgorithm }): void {
    checkOptions("compile", options, ["engine", "algorithm"]);
    const runtime = checkEngine(options.engine);
    this.place(runtime, checkAlgorithms(this.graph, options.algorithm ?? "auto"));
  }

  /** The output for `images[n, h, w, c]`. @throws ShapeError, OptionError */
  predict(images: Tensor, options?: { batchSize?: number }): Tensor;
  /** The outputs by name, for inputs by name. @throws ShapeError, OptionError */
  predict(inputs: Named<Tensor>, options?: { batchSize?: number }): Record<string, Tensor>;
  predict(
    given: Tensor | Named<Tensor>,
    options: { batchSize?: number } = {},
  ): Tensor | Record<string, Tensor> {
    checkOptions("predict", options, ["batchSize"]);
    const batchSize = positiveInteger("predict: batchSize", options.batchSize ?? DEFAULT_BATCH);
    this.placed("predict");
    const named = isNamed(given, this.#inputNames);
    const images: Filled[] = [];
    const n = this.checkImages("predict: images", given, images);
    // Asked for when the images have been read, which may have getters.
    const { inference } = this.placed("predict");
    const ends = outputsOf(this.graph);
    if (!named) onlyOne("predict: images by name", ends);
    let tensors: Tensor[] = [];
    const data = images.map((image) => image.data);
    for (const { outputs, start } of inference.batches(data, batchSize)) {
      // Only now that there was room to run.
      if (start === 0) {
        tensors = ends.map(({ shape }) => ({
          shape: [n, ...shape],
          data: new Float32Array(n * sizeOf(shape)),
        }));
      }
      outputs.forEach((output, i) => tensors[i]!.data.set(output, start * sizeOf(ends[i]!.shape)));
    }
    if (!named) return tensors[0]!;
    return byName(
      ends.map(({ name }) => name),
      tensors,
    );
  }

  /** Inference on buffers of its own. @throws OptionError, MemoryError */
  session(options: { batchSize?: number } = {}): Session {
    checkOptions("session", options, ["batchSize"]);
    const { runtime, graph } = this.placed("session");
    const batchSize = positiveInteger("session: batchSize", options.batchSize ?? 1);
    const forget = (session: Session): boolean => this.#sessions.delete(session);
    const session = new Session(runtime, graph, this.parameters, batchSize, forget);
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
    const own = Array.from(
      weights,
      ([name, weight]) => [name, readTensor(`setWeights: ${name}`, weight)] as const,
    );
    this.parameters.write("setWeights", new Map(own));
  }

  /** Takes the model off its engine and frees its memory there. The weights are kept; `compile` may follow. */
  dispose(): void {
    this.release();
    this.parameters.leave();
  }

  /** Moves the weights to an engine's memory; what was made on the one before is freed. @throws MemoryError */
  protected place(runtime: Runtime, algorithm: ConvAlgorithm): void {
    this.release();
    this.parameters.move(runtime, () => this.dispose());
    const graph = { ...this.graph, algorithm };
    this.#placed = { runtime, graph, inference: new Inference(runtime, graph, this.parameters) };
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

  /**
   * Reads one batch, `[n, ...inputShape]`, or one for each input, into `into`, in the order of the inputs: into the tensors
   * that are there, as `readTensor` does, or new ones. Returns n. @throws ShapeError
   */
  protected checkImages(where: string, given: Tensor | Named<Tensor>, into: Filled[]): number {
    const { inputs } = this.graph;
    const ordered = inOrder(where, given, this.#inputNames, into.length > 0 ? this.#given : []);
    let count = 0;
    for (let i = 0; i < inputs.length; i++) {
      const place = placeOf(where, this.#inputNames, i);
      const images = (into[i] = readTensor(place, ordered[i]!, undefined, into[i]));
      const n = images.shape[0];
      if (n === undefined) throw new ShapeError(`${place}: expected a batch of images, got a single number`);
      const { shape } = inputs[i]!;
      if (i === 0) count = n;
      if (n !== count || !isBatchOf(images.shape, shape)) {
        // Any number of images will do; that of further inputs is the first one's.
        const expected = [i === 0 ? "n" : count, ...shape].join("×");
        throw new ShapeError(`${place}: expected shape ${expected}, got ${shapeText(images.shape)}`);
      }
    }
    return count;
  }
}
