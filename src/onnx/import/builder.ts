import { Budget } from "../../budget.ts";
import type { KernelEngine } from "../../runtime/engine.ts";
import { OwnError } from "../../errors.ts";
import { SymbolicTensor, type Layer } from "../../layers/contract.ts";
import * as layers from "../../layers/index.ts";
import { isFileOrder } from "../../layers/origin.ts";
import { inputTensor } from "../../layers/symbolic.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../../tensor.ts";
import { overImages } from "./layers/overImages.ts";
import { Unsupported } from "./node.ts";
import { nameFrom, Names } from "./names.ts";
import { areAlike, fileOrder, splitOrder } from "./order.ts";
import { Trace, type Applied, type Origin, type StoredWeight } from "./trace.ts";
import type { TensorProto } from "../file/proto.ts";
import { shapeFault } from "../file/tensorData.ts";
import { dtypeOf, type Constant, type ElementType, type TensorType } from "../file/constant.ts";
import { followsImages, IMAGES } from "./images.ts";
import { isConstant, type Computed, type Value } from "./values.ts";

/** Numbers that a graph is lowered by, and that follow from an input: it can be lowered for one value of that input. */
export class NeedsKnown extends OwnError {
  readonly value: Computed;

  constructor(what: string, value: Computed) {
    super(`${what}: expected numbers that are known when the file is loaded, got computed ones`);
    this.value = value;
  }
}

/** Why a graph cannot be one of a net that takes any number of images. */
export class BatchDependent extends OwnError {}

/**
 * Lowers the graph of a file to layers.
 *
 * Values keep the shapes that the file gives them, and the order in which their axes lie in memory. A transposition is a
 * matter of that order and moves nothing; operators ask for the order they need, and only where it differs from what is
 * there the numbers move. So a net of convolutions runs as `[n, h, w, c]` throughout.
 *
 * There are two kinds of graphs. A batched one, for nets that do not mix images, has layers that see one image, as all
 * models of this package, and runs for any number of them. Any other is lowered for one set of shapes and sees whole
 * tensors: the first axis is one like the others, and a run is a batch of one.
 */
export class Builder {
  /**
   * The size in the file's shapes that is the number of images, when the graph is batched: what the file declares, or
   * IMAGES where it leaves their number open.
   */
  readonly batch: number | undefined;

  /** The making of values: another view of the same numbers has none of its own. */
  readonly origins: WeakMap<Computed, Origin> = new WeakMap();
  /** The weights that start with numbers of the file. */
  readonly stored: StoredWeight[] = [];
  readonly #sources = new Set<TensorProto>();
  /** The node that is lowered, whose name its layers get. */
  node = "";
  /** What has been done for it. */
  trace: Trace = new Trace();
  /** The node of the file that each layer is for, by the layer's name. */
  readonly nodeOf: Map<string, string> = new Map();
  /** Those of layers and inputs. */
  readonly #names = new Names();
  /** The first input that is fed at run time. */
  given: Computed | undefined;
  /** The initializers that are values which learn, by their tensors. */
  readonly weights: Map<TensorProto, Computed> = new Map();
  /** Tensors of the file whose numbers the graph is lowered with, or reads as they are: those do not learn. */
  readonly fixed: Set<TensorProto> = new Set();
  /** Elements of weights that the file does not hold, or holds once for several layers. */
  #copied = 0;

  /** The engine that computes constants which the host does not. */
  readonly engine: KernelEngine;

  /** Bounds on the work that the file may cause. */
  readonly budget: Budget;

  constructor(fileSize: number, engine: KernelEngine, batch?: number) {
    this.engine = engine;
    this.batch = batch;
    this.budget = new Budget("loadOnnx", engine.runtime.limits, fileSize);
  }

  /**
   * Counts numbers that are about to be read or computed, eight bytes each.
   * @throws BatchDependent when there are as many as images; MemoryError as `Budget.spend`
   */
  spend(elements: number): void {
    if (elements < 0) this.refuseImages();
    this.budget.spend(8 * elements);
  }

  /** Whether the graph is lowered before the number of images is known. */
  get isSymbolic(): boolean {
    return this.batch === IMAGES;
  }

  /** A shape of so many images for one of them, where their number is not known. */
  ofOneImage(shape: Shape): Shape {
    return this.isSymbolic ? shape.map((size) => (size === IMAGES ? 1 : size)) : shape;
  }

  /** Whether the numbers of a constant follow from the number of images, which nobody knows yet. */
  followsImages(constant: Constant): boolean {
    if (!this.isSymbolic || !constant.ofShape) return false;
    this.spend(sizeOf(constant.shape));
    return constant.data().some(followsImages);
  }

  /** @throws BatchDependent when the numbers of a constant follow from the number of images */
  checkKnown(constant: Constant): void {
    if (this.followsImages(constant)) this.refuseImages();
  }

  /** @throws BatchDependent, since the number of images is not known */
  refuseImages(): never {
    throw new BatchDependent("it computes with the number of images");
  }

  /** Takes note of a weight. @throws MemoryError as `Budget.checkElements` */
  keep(weight: StoredWeight): void {
    const { source, size } = weight;
    if (!source || this.#sources.has(source)) this.#copied += size;
    this.budget.checkElements(this.#copied, "elements of copied weights");
    if (source) this.#sources.add(source);
    this.stored.push(weight);
    this.trace.stored.push(weight);
  }

  /** The making of a value, if it is known. */
  originOf(value: Computed): Origin | undefined {
    this.trace.asked.push(value);
    return this.origins.get(value);
  }

  /** Takes note of the value of an initializer that learns. */
  learn(source: TensorProto, value: Computed): void {
    this.weights.set(source, value);
    this.trace.weights.push({ source, value });
  }

  /** Takes note of constants among some values whose numbers are read as the file has them. */
  fix(values: readonly (Value | undefined)[]): void {
    for (const value of values) {
      if (!value || !isConstant(value) || !value.source) continue;
      this.fixed.add(value.source);
      this.trace.fixed.push(value.source);
    }
  }

  /** Adds an input, which is fed when the net runs; `images` is what the file declares of their number. */
  input(name: string, type: ElementType, shape: Shape, images?: number | string): Computed {
    if (this.batch !== undefined && shape[0] !== this.batch) {
      throw new BatchDependent(`${name} has no images of its own`);
    }
    const order = fileOrder(shape.length);
    const symbol = inputTensor(this.seen(shape, order), dtypeOf(type), this.#names.unique(nameFrom(name)));
    const input = { type, shape, order, symbol };
    if (this.batch !== undefined) {
      symbol.origin = { name, order, ...(typeof images === "string" && images !== "" && { images }) };
    }
    this.given ??= input;
    return input;
  }

  /**
   * Takes note of the name that the file has for a value, and of the node that defines it. Where two of the file's values
   * are one here, it is the one whose axes lie as in the file.
   */
  nameValue({ symbol, order }: Computed, name: string, node?: string): void {
    const { origin } = symbol;
    if (this.batch === undefined || (origin && (isFileOrder(origin.order) || !isFileOrder(order)))) return;
    symbol.origin = { name, order, ...(node && { node }) };
  }

  /** The shape that layers see of a value whose axes lie in `order`. */
  seen(shape: Shape, order: readonly number[] = fileOrder(shape.length)): Shape {
    const sizes = order.map((axis) => shape[axis]!);
    if (this.batch !== undefined) {
      if (order[0] !== 0 || sizes[0] !== this.batch)
        throw new BatchDependent("its first axis is not that of the images");
      const seen = sizes.slice(1);
      if (seen.some((size) => size < 0)) {
        throw new BatchDependent("a further axis follows from the number of images");
      }
      // A layer's shape has at least one axis.
      return seen.length === 0 ? [1] : seen;
    }
    // Empty tensors take a place as well, and nobody reads it.
    return sizeOf(sizes) === 0 || sizes.length === 0 ? [1] : sizes;
  }

  /** The axis of a value as layers count them. @throws BatchDependent when it is that of the images */
  axis({ shape, order }: TensorType & { readonly order: readonly number[] }, axis: number): number {
    const place = order.indexOf(axis) - (this.batch === undefined ? 0 : 1);
    if (place >= 0 && axis < shape.length) return place;
    throw new BatchDependent("it joins the images of a batch");
  }

  /**
   * Applies a layer that sees whole values; their axes are the caller's business. It is called as the node unless
   * `name` says otherwise.
   */
  apply(
    layer: Layer,
    inputs: readonly Computed[],
    type: TensorType,
    order?: readonly number[],
    wanted = this.node,
  ): Computed {
    const { shape } = type;
    const axes = order ?? fileOrder(shape.length);
    const seen = this.seen(shape, axes);
    const base = nameFrom(wanted);
    Object.assign(layer, { name: this.#nameLayer(base) });
    const symbols = inputs.map(({ symbol }) => symbol);
    const made = layer.outputShape(
      symbols.map((symbol) => symbol.shape),
      this.node,
    );
    if (!sameShape(made, seen)) {
      throw new Error(`${layer.type}: expected the shape ${shapeText(seen)}, made ${shapeText(made)}`);
    }
    // For what they throw, while the node is known.
    layer.weights(symbols.map((symbol) => symbol.shape));
    const symbol = new SymbolicTensor(seen, dtypeOf(type.type), layer, symbols);
    this.trace.applied.push({ layer, inputs: symbols, output: symbol, base });
    return { type: type.type, shape, order: axes, symbol };
  }

  /**
   * Applies a layer as another builder has applied it, to values of other sizes. Returns undefined when it would have another
   * name here. @throws ShapeError, OptionError when they do not fit
   */
  applyAgain(
    { layer, output, base }: Applied,
    inputs: readonly SymbolicTensor[],
  ): SymbolicTensor | undefined {
    if (this.#nameLayer(base) !== layer.name) return undefined;
    const shapes = inputs.map(({ shape }) => shape);
    return new SymbolicTensor(layer.outputShape(shapes, this.node), output.dtype, layer, inputs);
  }

  /** A name for a layer of the node. */
  #nameLayer(base: string): string {
    const name = this.#names.unique(base);
    this.nodeOf.set(name, this.node);
    return name;
  }

  /**
   * What a layer for images makes of some: of values whose first axis, in memory as well, is that of the images. It sees
   * one image, of the shape that follows in memory.
   */
  applyToImages(
    layer: Layer,
    inputs: readonly Computed[],
    type: TensorType,
    order: readonly number[],
  ): Computed {
    if (this.batch !== undefined) return this.apply(layer, inputs, type, order);
    return this.apply(overImages(layer, type.shape[0]!), inputs, type, order);
  }

  /** The value with its axes in `order`: as it is, seen otherwise when only axes of size 1 differ, or moved. */
  ordered(value: Computed, order: readonly number[]): Computed {
    if (order.every((axis, place) => value.order[place] === axis)) return value;
    const { type, shape } = value;
    if (areAlike(value, order, this.batch !== undefined)) return this.#view(value, { type, shape }, order);
    const moved = this.batch === undefined ? order : order.slice(1);
    const dims = moved.map((axis) => this.axis(value, axis) + 1);
    return this.apply(layers.permute({ dims }), [value], { type, shape }, order);
  }

  /** The value with its axes as the file has them. */
  inFileOrder(value: Computed): Computed {
    return this.ordered(value, fileOrder(value.shape.length));
  }

  #view(value: Computed, type: TensorType, order: readonly number[]): Computed {
    const targetShape = this.seen(type.shape, order);
    if (sameShape(targetShape, value.symbol.shape)) return { ...value, ...type, order };
    return this.apply(layers.reshape({ targetShape }), [value], type, order);
  }

  /** The value's numbers, in the order of the file, under another shape. */
  reshaped(value: Value, shape: Shape): Value {
    if (sizeOf(shape) !== sizeOf(value.shape)) {
      throw new Unsupported(`expected a shape of ${sizeOf(value.shape)} elements, got ${shapeText(shape)}`);
    }
    const fault = shapeFault(this.ofOneImage(shape));
    if (fault) throw new Unsupported(fault);
    if (isConstant(value)) return { ...value, shape };
    const order = splitOrder(value, shape);
    if (order) return this.#view(value, { type: value.type, shape }, order);
    return this.#view(this.inFileOrder(value), { type: value.type, shape }, fileOrder(shape.length));
  }
}
