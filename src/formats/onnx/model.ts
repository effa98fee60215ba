import type { KernelEngine } from "../../engine/engine.ts";
import { OptionError, ShapeError } from "../../errors.ts";
import type { SymbolicTensor } from "../../layers/symbolic.ts";
import { checkEngine, type CompileOptions } from "../../model/compile.ts";
import type { Evaluation } from "../../model/evaluation.ts";
import type { FitOptions, History } from "../../model/fit.ts";
import type { Model } from "../../model/model.ts";
import type { Named } from "../../model/named.ts";
import type { Labels } from "../../labels.ts";
import { checkOptions, positiveInteger, show } from "../../options.ts";
import { sizeOf, type Shape, type Tensor } from "../../tensor.ts";
import { checkFeed, checkFeedShape, fromMemory, fromNumbers, toMemory, type OnnxTensor } from "./feeds.ts";
import { nodeName, readGraph, type OnnxGraph, type OnnxInput } from "./graph.ts";
import { Instance, type Given } from "./instance.ts";
import { checkOperators, NeedsInputs } from "./lower.ts";
import { Rare } from "./node.ts";
import type { Operators } from "./operator.ts";
import { COMMON } from "./operators/index.ts";
import { rewriteTensors } from "./rewrite.ts";
import { OnnxSession } from "./session.ts";
import { rawElements } from "./tensorData.ts";
import { isComputed, isConstant, type Constant } from "./values.ts";

/** What an ONNX net is given, by the names of its inputs. */
export type Feeds = Readonly<Record<string, OnnxTensor>>;

/** A node of a file, with the shapes of its values; undefined for an optional one that is left out. */
export interface OnnxNode {
  /** Its name, else that of the first value it defines. */
  readonly name: string;
  /** The operator. */
  readonly type: string;
  readonly inputs: readonly (Shape | undefined)[];
  readonly outputs: readonly (Shape | undefined)[];
}

/**
 * A net from an ONNX file, on an engine. Shapes, layouts and names are those of the file: images are `[n, c, h, w]`.
 *
 * Where the images of a batch do not meet, the net takes any number of them, whatever the file says, and trains as every
 * model of this package. Any other net runs with the very shapes that it is given, and does not train: `notTrainable`
 * tells why.
 */
export class OnnxModel {
  readonly #graph: OnnxGraph;
  readonly #engine: KernelEngine;
  readonly #operators: Operators;
  /** Inputs whose numbers decide about the graph: shapes, axes, filters that are given at run time. */
  readonly #deciding = new Set<string>();
  /** The graph for what was asked for last. */
  #instance: Instance | undefined;

  /** Users call `loadOnnx`. @throws Rare when the net may need more operators than these */
  constructor(graph: OnnxGraph, engine: KernelEngine, operators: Operators) {
    this.#graph = graph;
    this.#engine = engine;
    this.#operators = operators;
    checkOperators(graph, operators);
    const shapes = new Map(
      graph.inputs.map(({ name, dims }) => [
        name,
        dims.map((size, i) => (i === 0 && typeof size === "string" ? 1 : size)),
      ]),
    );
    const open = [...shapes.values()].flat().some((size) => typeof size === "string");
    // What is open is drawn when it is given.
    if (!open) this.#draw(shapes as Map<string, number[]>);
    if (operators === COMMON && this.#isDrawnAgain) {
      this.dispose();
      throw new Rare();
    }
  }

  /** Whether the graph is drawn when the net runs as well, for whatever is given: `predict` could load nothing then. */
  get #isDrawnAgain(): boolean {
    const open = this.#graph.inputs.some(({ dims }) => typeof dims[0] === "string");
    return !this.#instance || (open && this.notTrainable !== undefined);
  }

  /** The graph for these inputs; undefined when it depends on numbers, which `#deciding` then knows. */
  #draw(given: Given): Instance | undefined {
    const before = this.#instance;
    if (before?.serves(given)) return before;
    try {
      const next = new Instance(this.#graph, this.#operators, given, this.#engine);
      next.resume(before?.trained("predict") ?? new Map());
      before?.model?.dispose();
      return (this.#instance = next);
    } catch (error) {
      if (!(error instanceof NeedsInputs)) throw error;
      for (const name of error.names) this.#deciding.add(name);
      return undefined;
    }
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
    const { lowered } = this.#drawn("nodes");
    const { batch } = lowered.builder;
    const shapeOf = (name: string): Shape | undefined => {
      const value = lowered.values.get(name);
      if (!value || isConstant(value) || batch === undefined) return value?.shape;
      return [1, ...value.shape.slice(1)];
    };
    return this.#graph.nodes.map((node) => ({
      name: nodeName(node),
      type: node.opType,
      inputs: node.inputs.map(shapeOf),
      outputs: node.outputs.map(shapeOf),
    }));
  }

  /** Numbers in the weights of its layers. @throws ShapeError as `summary` */
  get parameterCount(): number {
    const weights = this.#drawn("parameterCount").model?.weights.values() ?? [];
    return [...weights].reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Why `fit` is refused; undefined for a net that trains. */
  get notTrainable(): string | undefined {
    if (!this.#instance) return "its shapes are open, or follow from numbers that are given";
    return this.#instance.model ? this.#instance.notBatched : "nothing in it is computed";
  }

  /**
   * The net as a model of this package: its layers with the file's weights, its inputs and outputs in the file's layout.
   * What is trained there is trained here.
   * @throws OptionError when the images of a batch meet in it.
   */
  get model(): Model {
    return this.#trainable("model");
  }

  /**
   * A value of the file by its name, for models that go on from there: `model({ inputs: net.value("x"), outputs:
   * layers.dense({ units: 10 }).apply(net.value("features")) })`. Its axes are those of the file.
   * @throws OptionError when there is none of that name, or the net does not train.
   */
  value(name: string): SymbolicTensor {
    this.#trainable("value");
    const { lowered } = this.#instance!;
    const value = lowered.values.get(name);
    if (value && isComputed(value)) return lowered.builder.inFileOrder(value).symbol;
    throw new OptionError(`value: expected the name of a value that the net computes, got ${show(name)}`);
  }

  /** The outputs by name, for inputs by name. @throws ShapeError naming the input */
  predict(feeds: Feeds, options: { batchSize?: number } = {}): Record<string, OnnxTensor> {
    checkOptions("predict", options, ["batchSize"]);
    const instance = this.#instanceFor("predict", feeds);
    const { outputs, constants, inputs, notBatched } = instance;
    // By names that are any text: an object would take __proto__ for something else.
    const results = new Map<string, OnnxTensor>();
    for (const { name, type, shape, data } of constants)
      results.set(name, { shape, data: fromNumbers(type, data()) });
    if (!instance.model) return Object.fromEntries(results);
    const whole = notBatched !== undefined;
    const given: Record<string, Tensor> = {};
    for (const { name, key, value } of inputs) {
      const { shape, data } = feeds[name]!;
      given[key] = {
        shape: [whole ? 1 : shape[0]!, ...value.symbol.shape],
        data: shape.includes(0) ? new Float32Array(1) : toMemory(`predict: ${name}`, data),
      };
    }
    const made = instance.model.predict(given, options);
    for (const { name, key, value } of outputs) {
      const { data } = made[key]!;
      const shape = whole ? value.shape : [made[key]!.shape[0]!, ...value.shape.slice(1)];
      results.set(name, { shape, data: fromMemory(value.type, data.subarray(0, sizeOf(shape))) });
    }
    return Object.fromEntries(this.#graph.outputs.map((name) => [name, results.get(name)!]));
  }

  /**
   * Inference on buffers of its own, in the file's layout: fill `inputs`, `run()`, read `outputs`.
   * @throws ShapeError when the file leaves shapes open that `shapes` does not give; MemoryError
   */
  session(options: { batchSize?: number; shapes?: Readonly<Record<string, Shape>> } = {}): OnnxSession {
    checkOptions("session", options, ["batchSize", "shapes"]);
    const batchSize = positiveInteger("session: batchSize", options.batchSize ?? 1);
    const instance = this.#draw(this.#sessionShapes(batchSize, options.shapes ?? {}));
    if (instance) return new OnnxSession(instance, batchSize);
    throw new OptionError(
      `session: expected a net that is planned by shapes alone, got one that depends on the numbers of ${[...this.#deciding].join(", ")}: use predict`,
    );
  }

  #sessionShapes(batchSize: number, given: Readonly<Record<string, Shape>>): Map<string, Shape> {
    const shapes = new Map<string, Shape>();
    const unknown = Object.keys(given).find((name) => !this.inputNames.includes(name));
    if (unknown !== undefined) {
      throw new ShapeError(`session: shapes: expected ${this.inputNames.join(", ")}; got ${unknown} besides`);
    }
    for (const input of this.#graph.inputs) {
      const { name, dims } = input;
      const own = Object.hasOwn(given, name) ? given[name] : undefined;
      if (own !== undefined) checkFeedShape(`session: shapes: ${name}`, input, own, true);
      const shape =
        own ?? dims.map((size, axis) => (axis === 0 && typeof size === "string" ? batchSize : size));
      const open = shape.find((size) => typeof size === "string");
      if (open !== undefined) {
        throw new ShapeError(`session: shapes: ${name}: expected a size for ${show(open)}, got none`);
      }
      shapes.set(name, shape as Shape);
    }
    return shapes;
  }

  /** Puts an optimizer and a loss to the net, for `fit`. @throws OptionError as `model`; as `Model.compile` */
  compile(options: Omit<CompileOptions, "engine">): void {
    this.#trainable("compile").compile({ ...options, engine: this.#engine });
  }

  /** Trains, as `Model.fit`; images are in the file's layout. */
  fit(
    images: Tensor | Named<Tensor>,
    labels: Labels | Named<Labels>,
    options?: FitOptions,
  ): Promise<History> {
    return this.#trainable("fit").fit(images, labels, options);
  }

  /** One step, as `Model.trainOnBatch`. */
  trainOnBatch(images: Tensor | Named<Tensor>, labels: Labels | Named<Labels>): number {
    return this.#trainable("trainOnBatch").trainOnBatch(images, labels);
  }

  /** As `Model.evaluate`. */
  evaluate(
    images: Tensor | Named<Tensor>,
    labels: Labels | Named<Labels>,
    options?: { batchSize?: number },
  ): Evaluation {
    return this.#trainable("evaluate").evaluate(images, labels, options);
  }

  /** The layers as a table. @throws ShapeError when the file leaves shapes open and none were given yet */
  summary(): string {
    return this.#drawn("summary").model?.summary() ?? "nothing to compute: all outputs are known";
  }

  #drawn(where: string): Instance {
    if (this.#instance) return this.#instance;
    throw new ShapeError(`${where}: expected shapes, got a file that leaves them open: run it once`);
  }

  /**
   * The file with the weights as they are now, float16 ones rounded to the nearest; all else in it stays byte for byte. Of
   * a net that was never trained it is a copy.
   * @throws OptionError when what was trained is not a tensor of the file
   */
  toOnnx(): Uint8Array {
    const elements = new Map<number, Uint8Array>();
    for (const [{ at, dataType }, data] of this.#instance?.trained("toOnnx") ?? []) {
      elements.set(at!, rawElements(dataType, data));
    }
    return rewriteTensors(this.#graph.bytes, elements);
  }

  /** Takes the net off its engine and frees its memory there. */
  dispose(): void {
    this.#instance?.model?.dispose();
    this.#instance = undefined;
  }

  #trainable(where: string): Model {
    const model = this.#instance?.model;
    if (model && this.notTrainable === undefined) return model;
    throw new OptionError(
      `${where}: expected a net whose images do not meet, got one of which that is not known: ${this.notTrainable}`,
    );
  }

  #instanceFor(where: string, feeds: Feeds): Instance {
    const { inputs } = this.#graph;
    if (typeof feeds !== "object" || feeds === null) {
      throw new ShapeError(`${where}: expected tensors by the names of inputs, got ${show(feeds)}`);
    }
    const unknown = Object.keys(feeds).find((name) => inputs.every((input) => input.name !== name));
    if (unknown !== undefined) {
      throw new ShapeError(`${where}: expected ${this.inputNames.join(", ")}; got ${unknown} besides`);
    }
    const open = this.#instance?.model !== undefined && this.#instance.notBatched === undefined;
    for (const input of inputs)
      checkFeed(
        where,
        input,
        Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined,
        open && !this.#deciding.has(input.name),
      );
    if (open) this.#checkImages(where, feeds);
    // Each time around, the graph depends on one more input at least.
    for (;;) {
      const instance = this.#draw(new Map(inputs.map((input) => [input.name, this.#givenBy(input, feeds)])));
      if (instance) return instance;
    }
  }

  /** @throws ShapeError unless all inputs have as many images. */
  #checkImages(where: string, feeds: Feeds): void {
    const inputs = this.#graph.inputs.filter(({ name }) => !this.#deciding.has(name));
    const images = feeds[inputs[0]!.name]!.shape[0];
    const other = inputs.find(({ name }) => feeds[name]!.shape[0] !== images);
    if (!other) return;
    throw new ShapeError(
      `${where}: ${other.name}: expected ${images} images as in ${inputs[0]!.name}, got ${feeds[other.name]!.shape[0]}`,
    );
  }

  #givenBy({ name, type }: OnnxInput, feeds: Feeds): Shape | Constant {
    const { shape, data } = feeds[name]!;
    if (!this.#deciding.has(name)) return shape;
    const numbers =
      type === "float32"
        ? Float32Array.from(data as Float32Array)
        : Float64Array.from(data as Int32Array, Number);
    return { type, shape, data: () => numbers };
  }
}

/**
 * The net in an ONNX file, on an engine: for inference at once, for training after `compile`. Opsets 6 to 25; float32,
 * with float16 widened; the operators in `docs/onnx.md`. Those that nets for images seldom need are code of their own,
 * loaded when a file needs them.
 * @throws FormatError when the file is broken, or lists all nodes that cannot be computed; MemoryError
 */
export async function loadOnnx(bytes: Uint8Array, options: { engine: KernelEngine }): Promise<OnnxModel> {
  checkOptions("loadOnnx", options, ["engine"]);
  const { engine } = options;
  checkEngine(engine);
  const graph = readGraph(bytes);
  try {
    return new OnnxModel(graph, engine, COMMON);
  } catch (error) {
    if (!(error instanceof Rare)) throw error;
    const { ALL } = await import("./operators/rare.ts");
    return new OnnxModel(graph, engine, ALL);
  }
}
