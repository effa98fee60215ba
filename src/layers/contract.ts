/**
 * What a layer is to the rest of the package.
 *
 * A layer tells shapes and weights, and builds its forward pass from a `BuildContext`. Its gradient is a function of its own,
 * a `Gradient`, that the layer's file exports beside the factory: training imports the gradients of all layers
 * (`gradients.ts`), and a program that only runs models leaves them out. What the forward pass has to keep for the gradient
 * travels in `Pass.state`.
 */
import type { DType } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Window } from "../kernels/window.ts";
import type { Heap } from "../runtime/heap.ts";
import type { Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import type { AsEpilogue, Epilogue, EpilogueKind } from "./epilogue.ts";
import type { Initializer } from "./initializers.ts";

/** A tensor of numbers that a layer keeps. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  /** The type of its numbers; only float32 learns. Default: float32. */
  readonly dtype?: DType;
  /** The way it starts, or a function that gives its numbers, which are converted to the type. */
  readonly initializer: Initializer | (() => Float32Array);
  /** False for what no gradient changes, such as moving statistics. Default: true. */
  readonly trainable?: boolean;
}

/** What one layer does in a step for the first `n` images of the batch. No call allocates memory. */
export interface Pass<State = unknown> {
  /** Lays out what the pass keeps of its weights, after they changed: in inference, and of a frozen layer in training. */
  prepare?: () => void;
  forward(n: number): void;
  /**
   * Brings what no gradient changes up to date after a training step; returns whether all of it is finite. Nothing is
   * stored without `commit`.
   */
  update?: (n: number, commit: boolean) => boolean;
  /** What the `Gradient` of the layer's type needs of this pass. */
  readonly state?: State;
  /** Builds the backward pass of a layer that brings its gradient along: one that users defined. */
  gradient?(context: GradientContext): (n: number) => void;
}

/** What the random draws of one training step follow from; a shard of a batch draws what the whole batch would. */
export interface BatchKey {
  /** The model's seed, in two words. */
  seedLow: number;
  seedHigh: number;
  /** The number of steps done before, modulo 2³². */
  step: number;
  /** The place of the first image in the batch that it is a part of. */
  firstImage: number;
}

/** What the plan hands a layer to build its forward pass from. */
export interface BuildContext {
  readonly kernels: Kernels;
  /** The memory that the buffers lie in. */
  readonly heap: Heap;
  /** The layer's name, for errors. */
  readonly name: string;
  /** How convolutions are computed whose layer does not say. */
  readonly algorithm: ConvAlgorithm;
  /** The most images that a batch may have. */
  readonly capacity: number;
  /** Whether this is training, of a layer that is not frozen. */
  readonly training: boolean;
  /** Whether a gradient will go back through the layer: to an input, to a weight, or to both. */
  readonly needsGradient: boolean;
  /** Shapes of one image's inputs and output. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** The first input, and all of them. */
  readonly x: Buffer;
  readonly xs: readonly Buffer[];
  readonly y: Buffer;
  /** The layers behind this one whose work its pass does as well, of those kinds that it says are `fusable`. */
  readonly epilogue: Epilogue;
  /** The layer's weights, in the order of `Layer.weights`. */
  readonly weights: readonly Buffer[];
  /** What random draws follow from, in training only: the batch that runs, and the layer's number in its graph. */
  readonly randomKey: { readonly batch: Readonly<BatchKey>; readonly layer: number };
  /** A buffer that keeps its content from the forward to the backward pass. */
  saved(elements: number, dtype?: DType): Buffer;
  /** A buffer that keeps its content from run to run. */
  kept(elements: number, dtype?: DType): Buffer;
  /** A buffer that is free again when the pass returns. */
  workspace(elements: number): Buffer;
  /** A window's struct, which lives as long as the plan. */
  window(window: Window): number;
  /** The address of a copy of numbers that kernels read, which lives as long as the plan. */
  table(numbers: Int32Array): number;
  /** Does what `table` does, for numbers that are made once so many were found to be within the limits. @throws MemoryError */
  tableOf(length: number, make: () => Int32Array): number;
  /** Counts bytes of JavaScript that the pass is about to take. @throws MemoryError when they become too many */
  spend(bytes: number): void;
}

/** What the plan hands a layer's gradient: the same, with `workspace` for the backward pass, and where gradients lie. */
export interface GradientContext extends BuildContext {
  /** Gradient of the output. The layer may overwrite it in its backward pass. */
  readonly dy: Buffer;
  /** Where the gradient of the first input goes, or null when nobody needs it, and those of all. They are overwritten. */
  readonly dx: Buffer | null;
  readonly dxs: readonly (Buffer | null)[];
  /** Where the gradients of the weights go; undefined for those that do not learn. They are overwritten. */
  readonly gradients: readonly (Buffer | undefined)[];
}

/** Builds the backward pass for a forward pass with this state. */
export type Gradient<State = unknown> = (context: GradientContext, state: State) => (n: number) => void;

/** The gradients of layers, by type. */
export type Gradients = ReadonlyMap<string, Gradient<never>>;

/** What makes a layer. */
export interface LayerDefinition<State = unknown> {
  /** The name of its factory in `layers`, or under which it was registered. */
  readonly type: string;
  /** The name that the user gave it. */
  readonly name?: string | undefined;
  /** Its options, as JSON, from which the factory makes it again. A layer without cannot be saved. */
  readonly config?: object;
  /** Shape of one image's output. Default: that of the only input. @throws ShapeError, OptionError naming `where`. */
  outputShape?(inputs: readonly Shape[], where: string): Shape;
  /** The type of the output's numbers. Default: that of the first input. */
  outputType?(inputs: readonly DType[]): DType;
  /** Default: none. */
  weights?(inputs: readonly Shape[]): WeightSpec[];
  /** False for a layer without a backward pass: training is refused where something before it learns. Default: true. */
  readonly differentiable?: boolean;
  /**
   * True for a layer whose outputs are a constant to the gradient, as those of a comparison are: what is before it learns
   * from other readers, or not at all. Default: false.
   */
  readonly stopsGradient?: boolean;
  /** Whether its backward pass reads its inputs and its output again, so that the planner keeps them. Default: neither. */
  readonly backwardReads?: { readonly x?: boolean; readonly y?: boolean };
  /** What the layer is as an epilogue of the one before it, in inference. Default: nothing that another layer could do. */
  readonly asEpilogue?: AsEpilogue;
  /** The kinds of epilogue that its own pass can do, in this order and each once. Default: none. */
  readonly fusable?: readonly EpilogueKind[];
  /**
   * Inputs that the output may be written over, by their place, in inference: the first ones, which are read before the
   * output is written; those behind them are read after that. Default: none.
   */
  readonly overwrites?: readonly number[];
  /** @throws OptionError naming `where` when its convolutions cannot be computed so, and it does not say how itself */
  checkAlgorithm?(inputs: readonly Shape[], where: string, algorithm: ConvAlgorithm): void;
  /** True when the output is the input's memory under another shape: no pass runs. Default: false. */
  isView?(training: boolean): boolean;
  build(context: BuildContext): Pass<State>;
}

/** A layer: its configuration and what follows from it. Weights and buffers belong to the model. */
export interface Layer extends LayerDefinition {
  /**
   * Whether training changes its weights. Set it to false to freeze the layer; `compile` reads it. Frozen batch
   * normalization uses its moving statistics. Default: true.
   */
  trainable: boolean;
  /** What a model calls a part of a composed layer, unless another is called so: then with a number behind. */
  label?: string;
  /** Whether it stands for the layers that it is composed of, which `apply` puts into the graph. */
  readonly isComposed?: boolean;
  outputShape(inputs: readonly Shape[], where: string): Shape;
  outputType(inputs: readonly DType[]): DType;
  weights(inputs: readonly Shape[]): WeightSpec[];
  isView(training: boolean): boolean;
  readonly backwardReads: { readonly x?: boolean; readonly y?: boolean };
  /**
   * Uses the layer in a graph: on one value, or a list of them. Each further use in one model shares its weights; each
   * model has weights of its own.
   * @throws ShapeError, OptionError when the values do not fit.
   */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor;
}

let created = 0;

/** A value that a model will compute: what a graph is built of, before there are numbers. */
export class SymbolicTensor {
  /** The shape for one image, without the batch. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** The layer that computes it, and from what; an input has none. */
  readonly layer: Layer | undefined;
  readonly inputs: readonly SymbolicTensor[];
  /** The name of an input. */
  readonly name: string | undefined;
  /** Later ones are made from earlier ones. */
  readonly order = created++;

  /** Users call `input` and `layer.apply`. */
  constructor(
    shape: Shape,
    dtype: DType = "float32",
    layer?: Layer,
    inputs: readonly SymbolicTensor[] = [],
    name?: string,
  ) {
    this.shape = shape;
    this.dtype = dtype;
    this.layer = layer;
    this.inputs = inputs;
    this.name = name;
  }
}

/** The only input of a layer that takes one. @throws ShapeError naming `where` */
export function onlyInput(inputs: readonly Shape[], where = "layer"): Shape {
  const [input] = inputs;
  if (!input || inputs.length !== 1) {
    throw new ShapeError(`${where}: expected one input, got ${inputs.length}`);
  }
  return input;
}
