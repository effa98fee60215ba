import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import { readMetadata, type ModelMetadata } from "../metadata.ts";
import { checkOptions, positiveInteger, readOptions, show } from "../options.ts";
import type { AbortSignalLike } from "../runtime/platform.ts";
import { Interruption } from "../runtime/interruption.ts";
import { Pace, runAtOnce, runPaced } from "../runtime/yield.ts";
import {
  imagesOf,
  isStream,
  readStream,
  type BatchRecord,
  type Step,
  type Stream,
  type SyncStream,
} from "../stream.ts";
import {
  shapeText,
  isBatchOf,
  readTensor,
  sizeOf,
  type Filled,
  type InputTensor,
  type OwnTensor,
  type Shape,
  type Tensor,
} from "../tensor.ts";
import { checkAlgorithms, outputsOf, type Graph, type GraphInput } from "../graph/graph.ts";
import { Inference, type Batch } from "../graph/inference.ts";
import { byName, inOrder, isNamed, placeOf, type Named } from "../graph/namedTensors.ts";
import { Parameters } from "../graph/parameters.ts";
import { Session } from "../graph/session.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import {
  readAsyncOptions,
  readBatchSize,
  type AsyncBatchOptions,
  type BatchOptions,
} from "./batchOptions.ts";
import { summarize } from "./summary.ts";

/** A batch of images as it was read. */
export type FilledInput = Filled<Float32Array | Uint8Array>;

/** The only element of a list. @throws OptionError naming `where` when there are several */
export function onlyOne<T>(where: string, things: readonly T[]): T {
  if (things.length === 1) return things[0]!;
  throw new OptionError(`${where}: expected a model with one, got ${things.length}`);
}

/**
 * A batch of images without or with labels. A record with `images` and `labels` is one of these two: inputs of such names
 * stand in a list, `[inputs]`.
 */
export type ImageBatch<Images> =
  Images | readonly [images: Images, ...rest: unknown[]] | BatchRecord<Images, unknown>;

type Inputs =
  InputTensor | Named<InputTensor> | Stream<ImageBatch<InputTensor>> | Stream<ImageBatch<Named<InputTensor>>>;

/** Puts batches behind each other. */
function joined(parts: readonly OwnTensor[]): OwnTensor {
  const n = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const rest = parts[0]!.shape.slice(1);
  const data = new Float32Array(n * sizeOf(rest));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape: [n, ...rest], data };
}

/** Weights by name, each read once. @throws ShapeError */
export function readWeights(where: string, weights: ReadonlyMap<string, Tensor>): [string, Filled][] {
  if (!(weights instanceof Map)) {
    throw new ShapeError(`${where}: expected a Map of tensors by name, got ${show(weights)}`);
  }
  return Array.from(weights, ([name, weight]) => [name, readTensor(`${where}: ${name}`, weight)]);
}

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

  /** Computes the outputs in steps. Those of a stream are by name when its first batch is. */
  *#prediction(
    where: string,
    inputs: Inputs,
    batchSize: number,
    atOnce: boolean,
  ): Generator<Step, OwnTensor | Record<Outputs, OwnTensor>, unknown> {
    const { inference } = this.requireCompiled(where);
    const parts: OwnTensor[][] = [];
    let named: boolean | undefined;
    if (isStream(inputs)) {
      const run = [inference, inference.revision] as const;
      yield* readStream(where, inputs, 1, atOnce, (batch, place) => {
        const images = imagesOf(batch as ImageBatch<InputTensor | Named<InputTensor>>);
        named ??= isNamed(images, this.#inputNames);
        return this.#predict(where, place, images, batchSize, parts, run);
      });
    } else {
      named = isNamed(inputs, this.#inputNames);
      yield* this.#predict(where, where, inputs, batchSize, parts);
    }
    const tensors =
      parts.length === 1 ? parts[0]! : parts[0]!.map((_, i) => joined(parts.map((part) => part[i]!)));
    return named
      ? byName(
          outputsOf(this.graph).map(({ name }) => name),
          tensors,
        )
      : tensors[0]!;
  }

  /** Adds the outputs for some images, which `place` names, to `parts`, and yields after each batch. */
  *#predict(
    where: string,
    place: string,
    inputs: InputTensor | Named<InputTensor>,
    batchSize: number,
    parts: OwnTensor[][],
    run?: readonly [Inference, revision: number],
  ): Generator<void, void> {
    const named = isNamed(inputs, this.#inputNames);
    const images: FilledInput[] = [];
    const n = this.checkImages(`${place}: images`, inputs, images);
    // Reading the images may have called getters that compiled the model again.
    const [inference, revision] = run ?? [this.requireCompiled(where).inference];
    const ends = outputsOf(this.graph);
    if (!named) onlyOne(`${place}: images by name`, ends);
    let tensors: OwnTensor[] = [];
    const read = ({ outputs, start }: Batch): void => {
      // The outputs are allocated only after the first batch found enough memory to run.
      if (start === 0) {
        tensors = ends.map(({ shape }) => ({
          shape: [n, ...shape],
          data: new Float32Array(n * sizeOf(shape)),
        }));
      }
      outputs.forEach((output, i) => tensors[i]!.data.set(output, start * sizeOf(ends[i]!.shape)));
    };
    const data = images.map((image) => image.data);
    yield* inference.batches(where, data, batchSize, read, revision);
    parts.push(tensors);
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
