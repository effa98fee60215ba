import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ShapeError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { readMetadata, type ModelMetadata } from "../metadata.ts";
import { checkOptions, positiveInteger, readOptions } from "../options.ts";
import type { AbortSignalLike } from "../runtime/platform.ts";
import { Interruption } from "../runtime/interruption.ts";
import { Pace, runAtOnce, runPaced } from "../runtime/yield.ts";
import type { Step, Stream, SyncStream } from "../stream.ts";
import {
  shapeText,
  isBatchOf,
  readTensor,
  type InputTensor,
  type OwnTensor,
  type Shape,
  type Tensor,
} from "../tensor.ts";
import { checkAlgorithms, outputsOf, type Graph, type GraphInput } from "../graph/graph.ts";
import { Inference } from "../graph/inference.ts";
import { inOrder, placeOf, type Named } from "../graph/namedTensors.ts";
import { Parameters } from "../graph/parameters.ts";
import { Session } from "../graph/session.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import {
  readAsyncOptions,
  readBatchSize,
  type AsyncBatchOptions,
  type BatchOptions,
} from "./batchOptions.ts";
import {
  onlyOne,
  predictInSteps,
  type FilledInput,
  type ImageBatch,
  type Inputs,
  type Steps,
} from "./prediction.ts";
import { readWeights } from "./readWeights.ts";
import { summarize } from "./summary.ts";

export { onlyOne, type FilledInput, type ImageBatch } from "./prediction.ts";
export { readWeights } from "./readWeights.ts";

/** The parts of a model that belong to its engine. */
interface Compiled {
  readonly runtime: Runtime;
  readonly graph: Graph;
  /** The runs of `predict` and `evaluate`. */
  readonly inference: Inference;
}

/**
 * A net with its weights, for inference. `compile` puts it on an engine; from then on its buffers are planned once for
 * each batch size. All methods throw errors that name the place, the expected and the given.
 */
export class InferenceModel<Outputs extends string = string> {
  protected readonly graph: Graph;
  protected readonly parameters: Parameters;
  readonly #inputNames: readonly string[];
  readonly #sessions = new Set<Session<Outputs>>();
  /** The tensors of a batch in the order of the inputs; training steps share the list so that they allocate none. */
  readonly #ordered: InputTensor[] = [];
  #compiled: Compiled | undefined;
  #metadata: ModelMetadata = {};
  /** The runs of `predictAsync` and `evaluateAsync` that have not ended. */
  #running = 0;

  /**
   * Users call `loadModel` instead. `weights` are tensors or a function that makes them by name; `shared` returns the slots
   * of those that the model shares with others.
   * @throws ShapeError unless the tensors are the graph's weights
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

  /** True when the model is on an engine. */
  get isCompiled(): boolean {
    return this.#compiled !== undefined;
  }

  /** The arithmetic of its engine; undefined when it is on none. */
  get math(): "exact" | "relaxed" | undefined {
    return this.#compiled?.runtime.capabilities.math;
  }

  /** True when something needs the model's memory on its engine: it has sessions, or `predictAsync` runs. */
  get inUse(): boolean {
    return this.#sessions.size > 0 || this.#running > 0;
  }

  /** The name of each input, and its shape for one image. */
  get inputs(): GraphInput[] {
    return this.graph.inputs.map((each) => ({ ...each, shape: [...each.shape] }));
  }

  /** The name of each output, which is that of its layer, and its shape for one image. */
  get outputs(): GraphInput[] {
    return outputsOf(this.graph).map(({ name, shape }) => ({ name, shape: [...shape] }));
  }

  /** The shape of one image. @throws OptionError when there are several inputs */
  get inputShape(): Shape {
    return onlyOne("inputShape", this.inputs).shape;
  }

  /** The shape of one image's output. @throws OptionError when there are several outputs */
  get outputShape(): Shape {
    return onlyOne("outputShape", this.outputs).shape;
  }

  /** Copies of the weights, by `layer.weight`. */
  get weights(): Map<string, OwnTensor> {
    return this.parameters.read();
  }

  /**
   * Puts the model on an engine, and returns it. Compiling again keeps the weights and disposes of the model's sessions.
   * @throws OptionError, MemoryError; Error when the weights went with an engine that was disposed
   */
  compile(options: { engine: KernelEngine; algorithm?: ConvAlgorithm | undefined }): InferenceModel<Outputs> {
    checkOptions("compile", options, ["engine", "algorithm"]);
    const runtime = checkEngine("compile", options.engine);
    this.moveTo(runtime, checkAlgorithms("compile", this.graph, options.algorithm ?? "auto"));
    return this;
  }

  /**
   * The output for `images[n, h, w, c]`. It keeps the thread until all are done, for 10,000 images of 28×28 and a LeNet-5
   * a quarter of a second on one core; `predictAsync` does not.
   * Of a stream it returns the outputs of all batches; labels beside the images are left alone.
   * @throws ShapeError, OptionError
   */
  predict(images: InputTensor | SyncStream<ImageBatch<InputTensor>>, options?: BatchOptions): OwnTensor;
  /** The outputs by name, for inputs by name. @throws ShapeError, OptionError */
  predict(
    inputs: Named<InputTensor> | SyncStream<ImageBatch<Named<InputTensor>>>,
    options?: BatchOptions,
  ): Record<Outputs, OwnTensor>;
  predict(inputs: Inputs, options: BatchOptions = {}): OwnTensor | Record<Outputs, OwnTensor> {
    return runAtOnce(this.#prediction("predict", inputs, readBatchSize("predict", options), true));
  }

  /**
   * Resolves with what `predict` returns, the same bits, and lets pending events run between two batches whenever some
   * milliseconds have gone by: it keeps the thread for as long as one batch takes. Images are read batch by batch, and must
   * stay as they are to the end; a stream may be asynchronous. Several runs may overlap, and `predict` may be called
   * meanwhile.
   * @throws ShapeError, OptionError; the signal's reason when it is aborted; Error when the weights change or the model or
   * its engine is disposed of meanwhile: no outputs are those of two nets.
   */
  predictAsync(
    images: InputTensor | Stream<ImageBatch<InputTensor>>,
    options?: AsyncBatchOptions,
  ): Promise<OwnTensor>;
  /** The outputs by name, for inputs by name. */
  predictAsync(
    inputs: Named<InputTensor> | Stream<ImageBatch<Named<InputTensor>>>,
    options?: AsyncBatchOptions,
  ): Promise<Record<Outputs, OwnTensor>>;
  async predictAsync(
    inputs: Inputs,
    options: AsyncBatchOptions = {},
  ): Promise<OwnTensor | Record<Outputs, OwnTensor>> {
    const where = "predictAsync";
    const { batchSize, signal } = readAsyncOptions(where, options);
    return this.paced(where, this.#prediction(where, inputs, batchSize, false), signal);
  }

  /** Computes the outputs in steps. */
  #prediction(where: string, inputs: Inputs, batchSize: number, atOnce: boolean): Steps<Outputs> {
    const inference = (): Inference => this.requireCompiled(where).inference;
    const read = this.checkImages.bind(this);
    return predictInSteps<Outputs>(where, this.graph, inference, read, inputs, batchSize, atOnce);
  }

  /** Runs steps to their end and lets pending events run between them; the model is in use meanwhile. */
  protected async paced<T>(
    where: string,
    steps: Generator<Step, T, unknown>,
    signal: AbortSignalLike | undefined,
  ): Promise<T> {
    const interruption = new Interruption(where, signal, this.requireCompiled(where).runtime.leaving);
    this.#running++;
    try {
      return await runPaced(steps, new Pace(), interruption);
    } finally {
      this.#running--;
      interruption.release();
    }
  }

  /** Makes a session: inference on buffers of its own. @throws OptionError, MemoryError */
  session(options: { batchSize?: number | undefined } = {}): Session<Outputs> {
    const { batchSize } = readOptions("session", options, { batchSize: [positiveInteger, 1] }, []);
    const { runtime, graph } = this.requireCompiled("session");
    const forget = (session: Session<Outputs>): boolean => this.#sessions.delete(session);
    const session = new Session<Outputs>(runtime, graph, this.parameters, batchSize, forget);
    this.#sessions.add(session);
    return session;
  }

  /**
   * Names of the classes and how images become inputs, which the model's files keep. Setting it replaces all of it by a copy.
   * @throws OptionError
   */
  get metadata(): ModelMetadata {
    return readMetadata("metadata", this.#metadata);
  }

  set metadata(metadata: ModelMetadata) {
    this.#metadata = readMetadata("metadata", metadata);
  }

  /** A table of the layers, their shapes and their weights. */
  summary(): string {
    return summarize(this.graph, this.parameters);
  }

  /**
   * Replaces the weights by those of a file, which needs no architecture; all or none.
   * @throws FormatError when the file is broken, ShapeError when its weights are not this model's.
   */
  loadSafetensors(bytes: Uint8Array): void {
    this.parameters.write("loadSafetensors", decodeSafetensors(bytes).tensors);
  }

  /** Replaces the weights; all or none. @throws ShapeError naming the weight */
  setWeights(weights: ReadonlyMap<string, Tensor>): void {
    this.parameters.write("setWeights", new Map(readWeights("setWeights", weights)));
  }

  /** Takes the model off its engine and frees its memory there. The weights are kept; `compile` may follow. */
  dispose(): void {
    this.#compiled?.inference.expectRest("dispose");
    this.release();
    this.parameters.leave();
  }

  /** Moves the weights to an engine's memory and frees everything on the engine before. @throws MemoryError */
  protected moveTo(runtime: Runtime, algorithm: ConvAlgorithm): void {
    this.#compiled?.inference.expectRest("compile");
    this.release();
    this.parameters.move(runtime, () => this.dispose());
    const graph = { ...this.graph, algorithm };
    this.#compiled = { runtime, graph, inference: new Inference(runtime, graph, this.parameters) };
  }

  /** The model's parts on its engine. @throws Error naming `where` unless it is compiled and the engine is not disposed. */
  protected requireCompiled(where: string): Compiled {
    if (!this.#compiled) throw new Error(`${where}: expected a compiled model, got one without an engine`);
    if (this.#compiled.runtime.disposed) {
      throw new Error(`${where}: expected a live engine, got one that was disposed`);
    }
    return this.#compiled;
  }

  /** Frees everything on the engine except the weights. */
  protected release(): void {
    for (const session of this.#sessions) session.dispose();
    this.#compiled?.inference.dispose();
    this.#compiled = undefined;
  }

  /**
   * Reads a batch, `[n, ...inputShape]` for each input, into the list `into` in the order of the inputs. Tensors that the
   * list contains are filled in, as by `readTensor`. Returns n. @throws ShapeError
   */
  protected checkImages(where: string, batch: InputTensor | Named<InputTensor>, into: FilledInput[]): number {
    const { inputs } = this.graph;
    const ordered = inOrder(where, batch, this.#inputNames, into.length > 0 ? this.#ordered : []);
    let count = 0;
    for (let i = 0; i < inputs.length; i++) {
      const place = placeOf(where, this.#inputNames, i);
      const { shape, dtype } = inputs[i]!;
      const type = dtype ? Uint8Array : Float32Array;
      const images = (into[i] = readTensor<Float32Array | Uint8Array>(
        place,
        ordered[i]!,
        undefined,
        into[i],
        type,
      ));
      const n = images.shape[0];
      if (n === undefined) throw new ShapeError(`${place}: expected a batch of images, got a single number`);
      if (i === 0) count = n;
      if (n !== count || !isBatchOf(images.shape, shape)) {
        // The first input may have any number of images; further inputs must have the same number.
        const expected = [i === 0 ? "n" : count, ...shape].join("×");
        throw new ShapeError(`${place}: expected shape ${expected}, got ${shapeText(images.shape)}`);
      }
    }
    return count;
  }
}
