import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { Labels } from "../labels.ts";
import type { SymbolicTensor } from "../layers/contract.ts";
import type { CompileOptions } from "../training/compile.ts";
import type { Evaluation } from "../training/evaluation.ts";
import type { FitOptions } from "../training/fitOptions.ts";
import type { History } from "../training/history.ts";
import {
  readAsyncOptions,
  readBatchSize,
  type AsyncBatchOptions,
  type BatchOptions,
} from "../model/batchOptions.ts";
import type { AsyncEvaluateOptions, EvaluateOptions } from "../model/evaluateOptions.ts";
import type { Model } from "../model/model.ts";
import { metadataTexts, type ModelMetadata } from "../metadata.ts";
import { inOrder, type Named } from "../graph/namedTensors.ts";
import { show } from "../options.ts";
import type { InputTensor } from "../tensor.ts";
import { checkFeedShape, readFeed } from "./import/feeds.ts";
import type { Feeds, Images, OnnxFitOptions } from "./import/feedShapes.ts";
import { frozenInitializers, type FrozenInitializer } from "./import/frozenInitializers.ts";
import type { OnnxGraph, OnnxInput } from "./import/graph.ts";
import type { Instance } from "./import/instance.ts";
import { suggestion } from "./import/nearest.ts";
import { nodesOf, valuesOf, type OnnxNode, type OnnxValue } from "./import/nodeShapes.ts";
import type { Plans } from "./import/plans.ts";
import { METADATA_PREFIX } from "./file/proto.ts";
import { rewriteMetadata, rewriteTensors } from "./file/rewrite.ts";
import { modelTensor, Prediction, type OnnxOutputs } from "./prediction.ts";
import { openSession, type OnnxSessionOptions } from "./openSession.ts";
import type { OnnxSession } from "./session.ts";
import { rawElements } from "./file/tensorData.ts";
import { isComputed } from "./import/values.ts";

/**
 * A net from an ONNX file, on an engine. Shapes, layouts and names are those of the file: images are `[n, c, h, w]`.
 *
 * Where no node mixes the images of a batch, the net takes any number of them, whatever the file says, and trains as every
 * model of this package. Any other net runs with the very shapes that it is fed, and does not train: `notBatched`
 * tells why.
 */
export class OnnxModel {
  readonly #graph: OnnxGraph;
  readonly #engine: KernelEngine;
  readonly #algorithm: ConvAlgorithm;
  readonly #plans: Plans;

  /** Users call `loadOnnx`. */
  constructor(graph: OnnxGraph, engine: KernelEngine, algorithm: ConvAlgorithm, plans: Plans) {
    this.#graph = graph;
    this.#engine = engine;
    this.#algorithm = algorithm;
    this.#plans = plans;
  }

  /** The arithmetic of its engine. */
  get math(): "exact" | "relaxed" {
    return this.#engine.math;
  }

  get inputNames(): string[] {
    return this.#graph.inputs.map(({ name }) => name);
  }

  get outputNames(): string[] {
    return [...this.#graph.outputs];
  }

  /** Name, type and declared sizes of each input; a size that the file leaves open is a name or "". */
  get inputs(): OnnxInput[] {
    return this.#graph.inputs.map((input) => ({ ...input, dims: [...input.dims] }));
  }

  /**
   * The nodes of the file with the shapes of what they read and define, as the file has them, for one image where any
   * number will do. @throws ShapeError as `summary`
   */
  get nodes(): OnnxNode[] {
    return nodesOf(this.#graph, this.#planned("nodes").lowered);
  }

  /** The values that the net computes, which `value` takes by name, its inputs first. @throws ShapeError as `summary` */
  get values(): OnnxValue[] {
    return valuesOf(this.#planned("values").lowered);
  }

  /**
   * The names of the classes and how images become inputs, where a file of this package tells. Setting it replaces all of it
   * by a copy, which `toOnnx` writes; `net.model` has the same.
   * @throws OptionError
   */
  get metadata(): ModelMetadata {
    return this.#plans.metadata;
  }

  set metadata(metadata: ModelMetadata) {
    this.#plans.metadata = metadata;
  }

  /** Numbers in the weights of its layers. @throws ShapeError as `summary` */
  get parameterCount(): number {
    const weights = this.#planned("parameterCount").model?.weights.values() ?? [];
    return [...weights].reduce((sum, { data }) => sum + data.length, 0);
  }

  /** The reason why the net is planned for the very shapes that it is fed; undefined when it takes any number of images. */
  get notBatched(): string | undefined {
    return this.#plans.notBatched;
  }

  /**
   * Why `compile` refuses an optimizer, as the layers of `model` are frozen now: the images of a batch meet, all outputs are
   * integers, no weight of those that could learn does, or one stands before an operator without a gradient. Undefined for
   * a net that trains.
   */
  get notTrainable(): string | undefined {
    return this.notBatched ?? this.#plans.current!.notTrainable;
  }

  /**
   * The initializers of floats that training leaves as they are, each with the reason: single numbers, moving statistics,
   * what the net computes with when it is loaded, layers of `model` that are frozen. All others learn, and `toOnnx` writes
   * them. @throws OptionError when the images of a batch meet in it
   */
  get frozen(): FrozenInitializer[] {
    this.#batched("frozen");
    return frozenInitializers(this.#graph, this.#plans.current!);
  }

  /**
   * The net as a model of this package: its layers with the file's weights, its inputs and outputs in the file's layout.
   * What is trained there is trained here.
   * @throws OptionError when the images of a batch meet in it.
   */
  get model(): Model {
    return this.#batched("model");
  }

  /**
   * A value of the file by its name, for models that go on from there: `model({ inputs: net.value("x"), outputs:
   * layers.dense({ units: 10 }).apply(net.value("features")) })`. Its axes are those of the file.
   * @throws OptionError when there is none of that name, or the net does not train. `values` lists the names.
   */
  value(name: string): SymbolicTensor {
    this.#batched("value");
    const { lowered } = this.#plans.current!;
    const value = lowered.values.get(name);
    if (value && isComputed(value)) {
      const { builder } = lowered;
      const own = builder.inFileOrder(value);
      builder.nameValue(own, name);
      return own.symbol;
    }
    const names = valuesOf(lowered).map((known) => known.name);
    throw new OptionError(
      `value: expected the name of a value that the net computes, got ${show(name)}${suggestion(String(name), names)}`,
    );
  }

  /**
   * The outputs by name, for inputs by name. It keeps the thread until all are done; `predictAsync` does not.
   * @throws ShapeError naming the input
   */
  predict(fed: Feeds, options: BatchOptions = {}): OnnxOutputs {
    const batchSize = readBatchSize("predict", options);
    const prediction = new Prediction("predict", this.#graph, this.#plans, fed);
    const { model, images, instance } = prediction;
    if (!model) return prediction.outputs({});
    return prediction.outputs(this.#plans.withMemory(() => model.predict(images, { batchSize }), instance));
  }

  /**
   * Resolves with what `predict` returns, the same bits, and lets pending events run between two batches, as
   * `Model.predictAsync` does. A net in which the images of a batch meet (`notBatched`) computes them all at once.
   * @throws ShapeError naming the input; as `Model.predictAsync`
   */
  async predictAsync(fed: Feeds, options: AsyncBatchOptions = {}): Promise<OnnxOutputs> {
    const settings = readAsyncOptions("predictAsync", options);
    const prediction = new Prediction("predictAsync", this.#graph, this.#plans, fed);
    const { model, images, instance } = prediction;
    settings.signal?.throwIfAborted();
    if (!model) return prediction.outputs({});
    return prediction.outputs(
      await this.#plans.withMemoryAsync(() => model.predictAsync(images, settings), instance),
    );
  }

  /**
   * Inference on buffers of its own, in the file's layout: fill `inputs`, `run()`, read `outputs`. The number of images is
   * `batchSize`, or that of `shapes`; by default 1, or what a net that joins images declares. Any number of sessions, for
   * any shapes, may live at once.
   * @throws ShapeError when the file leaves shapes open that `shapes` does not give, or what is fed contradicts itself or
   * the file; OptionError when the net depends on numbers; MemoryError
   */
  session(options: OnnxSessionOptions = {}): OnnxSession {
    return openSession(this.#graph, this.#plans, options);
  }

  /** Puts an optimizer and a loss to the net, for `fit`. @throws OptionError as `model`; as `Model.compile` */
  compile(options: Omit<CompileOptions, "engine">): void {
    const model = this.#batched("compile");
    const fault = options.optimizer && this.notTrainable;
    if (fault) throw new OptionError(`compile: optimizer: ${fault}`);
    model.compile({ ...options, algorithm: options.algorithm ?? this.#algorithm, engine: this.#engine });
  }

  /** Trains, as `Model.fit`; images are as for `predict`, losses, metrics and labels of several outputs by the
   * names that `predict` returns; integers among the outputs have none. */
  async fit(images: Images, labels: Labels | Named<Labels>, options: OnnxFitOptions = {}): Promise<History> {
    const model = this.#batched("fit");
    const { validationData } = options;
    const validation = validationData && {
      validationData: [
        this.#images("fit: validationData", validationData[0]),
        validationData[1],
        validationData[2],
      ] as const,
    };
    return model.fit(this.#images("fit", images), labels, { ...options, ...validation } as FitOptions);
  }

  /** One step, as `Model.trainOnBatch`. */
  trainOnBatch(images: Images, labels: Labels | Named<Labels>): number {
    const model = this.#batched("trainOnBatch");
    return model.trainOnBatch(this.#images("trainOnBatch", images), labels);
  }

  /** Evaluates the net as `Model.evaluate` does. */
  evaluate(images: Images, labels: Labels | Named<Labels>, options?: EvaluateOptions): Evaluation {
    const model = this.#batched("evaluate");
    return model.evaluate(this.#images("evaluate", images), labels, options);
  }

  /** Evaluates the net as `Model.evaluateAsync` does. */
  async evaluateAsync(
    images: Images,
    labels: Labels | Named<Labels>,
    options?: AsyncEvaluateOptions,
  ): Promise<Evaluation> {
    const model = this.#batched("evaluateAsync");
    return model.evaluateAsync(this.#images("evaluateAsync", images), labels, options);
  }

  /** Images for the model, with its names for them. @throws ShapeError */
  #images(method: string, images: Images): Named<InputTensor> {
    const where = `${method}: images`;
    const { inputs } = this.#plans.current!;
    const names = inputs.map(({ name }) => name);
    const tensors = inOrder(where, images, names);
    return Object.fromEntries(
      inputs.map((end, i) => {
        const { name, key, value } = end;
        const input = { name, type: value.type, dims: value.shape };
        const tensor = readFeed(where, input, tensors[i]);
        checkFeedShape(`${where}: ${name}`, input, tensor.shape, true);
        return [key, modelTensor(where, end, tensor, false)];
      }),
    );
  }

  /** The layers as a table. @throws ShapeError when the file leaves shapes open and none were fed yet */
  summary(): string {
    return this.#planned("summary").model?.summary() ?? "nothing to compute: all outputs are known";
  }

  #planned(where: string): Instance {
    const { current } = this.#plans;
    if (current) return current;
    throw new ShapeError(`${where}: expected shapes, got a file that leaves them open: run it once`);
  }

  /**
   * The file with the weights as they are now, float16 ones rounded to the nearest, and with `metadata` where they were set;
   * all else in it stays byte for byte. Of a net that was never trained it is a copy.
   * @throws OptionError when what was trained is not a tensor of the file
   */
  toOnnx(): Uint8Array<ArrayBuffer> {
    const elements = new Map<number, Uint8Array>();
    for (const [{ at, dataType }, data] of this.#plans.trained("toOnnx")) {
      elements.set(at!, rawElements(dataType, data));
    }
    const file = rewriteTensors(this.#graph.bytes, elements);
    const [own, before] = [this.metadata, this.#graph.metadata].map((each) =>
      metadataTexts(each, METADATA_PREFIX),
    );
    return JSON.stringify(own) === JSON.stringify(before) ? file : rewriteMetadata(file, own!);
  }

  /** Takes the net off its engine and frees its memory there. The weights are kept; `compile` may follow. */
  dispose(): void {
    this.#plans.dispose();
  }

  #batched(where: string): Model {
    const model = this.#plans.current?.model;
    if (model && this.notBatched === undefined) return model;
    throw new OptionError(
      `${where}: expected a net that takes any number of images, got one that does not: ${this.notBatched}`,
    );
  }
}
