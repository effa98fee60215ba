/**
 * The contract between a layer and the rest of the package.
 *
 * A layer declares its shapes and weights, and builds its forward pass from a `BuildContext`. Its gradient is a separate
 * function, a `Gradient`, that the layer's file exports beside the factory: training imports the gradients of all layers
 * (`gradients.ts`), and the bundle of a program that only runs models does not contain them. The forward pass hands over
 * what its gradient needs as `Pass.state`.
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
import type { ValueOrigin, WeightOrigin } from "./origin.ts";
import type { Penalty } from "./regularizers.ts";

/** The name, shape and starting values of a weight. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  /** The type of its numbers; only float32 learns. Default: float32. */
  readonly dtype?: DType;
  /** The rule for the starting values, or a function that returns them; they are converted to the type. */
  readonly initializer: Initializer | (() => Float32Array);
  /** False for weights that no gradient changes, such as moving statistics. Default: true. */
  readonly trainable?: boolean;
  /** The penalty that training adds to the loss. Default: none. */
  readonly regularizer?: Penalty | undefined;
  /** The tensor of a file that it is, if the net comes from one. */
  readonly origin?: WeightOrigin;
}

/** The work of one layer in a step, for the first `n` images of the batch. No call allocates memory. */
export interface Pass<State = unknown> {
  /**
   * Lays out the weights as the kernels read them. It runs after the weights changed: in inference, and in training for a
   * layer without a backward pass; with one, before each forward pass.
   */
  prepare?: () => void;
  forward(n: number): void;
  /**
   * Updates the weights that no gradient changes, after a training step. Returns true when all new values are finite.
   * Nothing is stored unless `commit` is true.
   */
  update?: (n: number, commit: boolean) => boolean;
  /** The data that the `Gradient` of the layer's type needs from this pass. */
  readonly state?: State;
  /** Builds the backward pass of a layer that users defined, whose gradient is not in the package's table. */
  gradient?(context: GradientContext): (n: number) => void;
}

/**
 * The key of one training step's random numbers. It contains the position of the batch's first image, so that a shard of a
 * batch has the random numbers that it would have as a part of the whole batch.
 */
export interface BatchKey {
  /** The model's seed, in two words. */
  seedLow: number;
  seedHigh: number;
  /** The number of steps done before this one, modulo 2³². */
  step: number;
  /** The index of the first image within the whole batch. */
  firstImage: number;
  /** The number of epochs done before this one, modulo 2³²; for a batch that belongs to none, the step. */
  epoch: number;
  /**
   * The address of an int32 for each image of the batch, its number in the data set. Random numbers that follow from this
   * and the epoch instead of the step and the place in the batch are the same whatever the batches.
   */
  indices: number;
}

/** A layer's weights in the layout that a kernel reads. */
export interface LaidOut {
  readonly buffer: Buffer;
  /** Makes it anew, if the weights have changed. */
  prepare(): void;
}

/** Everything that a layer builds its forward pass from. */
export interface BuildContext {
  readonly kernels: Kernels;
  /** The memory that contains the buffers. */
  readonly heap: Heap;
  /** The layer's name, for errors. */
  readonly name: string;
  /** The algorithm of convolutions whose layer does not choose one. */
  readonly algorithm: ConvAlgorithm;
  /** The most images that a batch may have. */
  readonly capacity: number;
  /** True when the plan is for training and the layer is not frozen. */
  readonly training: boolean;
  /** True when the layer has a backward pass in this plan: an input or a weight needs a gradient. */
  readonly needsGradient: boolean;
  /** The shapes of one image's inputs and output. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** The first input, and all of them. */
  readonly x: Buffer;
  readonly xs: readonly Buffer[];
  readonly y: Buffer;
  /** The work of the layers after this one that its pass does as well; only kinds that the layer declares `fusable`. */
  readonly epilogue: Epilogue;
  /** The layer's weights, in the order of `Layer.weights`. */
  readonly weights: readonly Buffer[];
  /** The key of the layer's random numbers, in training only: that of the step, and the layer's index in its graph. */
  readonly randomKey: { readonly batch: Readonly<BatchKey>; readonly layer: number };
  /** Reserves a buffer that keeps its content from the forward to the backward pass. */
  saved(elements: number, dtype?: DType): Buffer;
  /** Reserves a buffer that keeps its content from run to run. */
  kept(elements: number, dtype?: DType): Buffer;
  /**
   * Reserves a buffer for numbers that follow from weights alone, such as packed filters. `make` writes them, when the pass
   * prepares itself and the weights have changed. All plans of a model, and of a net for several shapes, that ask for the same `layout` of the
   * same weights read one buffer, unless the weights learn in the plan.
   */
  laidOut(
    weights: readonly Buffer[],
    layout: string,
    elements: number,
    make: (buffer: Buffer) => void,
  ): LaidOut;
  /** Reserves a buffer that is free again when the pass returns. */
  workspace(elements: number): Buffer;
  /** Copies a window's struct to memory that lives as long as the plan. Returns its address. */
  window(window: Window): number;
  /** Copies numbers that kernels read to memory that lives as long as the plan. Returns their address. */
  table(numbers: Int32Array): number;
  /** Does the same as `table`, but checks the length against the limits before the numbers are made. @throws MemoryError */
  tableOf(length: number, make: () => Int32Array): number;
  /** Counts bytes of JavaScript memory that the pass is about to use. @throws MemoryError when they exceed the limit */
  spend(bytes: number): void;
}

/** Everything that a layer's gradient builds the backward pass from; `workspace` is for the backward pass here. */
export interface GradientContext extends BuildContext {
  /** The gradient of the output. The layer may overwrite it in its backward pass. */
  readonly dy: Buffer;
  /**
   * The buffers for the gradients of the first input and of all inputs; null for an input whose gradient nothing needs. The
   * backward pass overwrites them.
   */
  readonly dx: Buffer | null;
  readonly dxs: readonly (Buffer | null)[];
  /** The buffers for the gradients of the weights, which are overwritten; undefined for weights that do not learn. */
  readonly gradients: readonly (Buffer | undefined)[];
}

/**
 * Builds the pass that a layer has in a plan with gradients, from its options; undefined where that is the one of inference, as
 * for a frozen layer. `trainingPasses.ts` lists those of all layers that have one, and only training imports it.
 */
export type TrainingPass<Config = never> = (context: BuildContext, config: Config) => Pass | undefined;

/** The pass of layers that are views wherever `build` is called. */
export const noPass = (): Pass => ({ forward: () => {} });

/** Builds the backward pass that belongs to a forward pass with this state. */
export type Gradient<State = unknown> = (context: GradientContext, state: State) => (n: number) => void;

/** The definition from which `layerOf` makes a layer. */
export interface LayerDefinition<State = unknown> {
  /** The name of its factory in `layers`, or the name under which the factory was registered. */
  readonly type: string;
  /** The name that the user gave it. */
  readonly name?: string | undefined;
  /** Its options, as JSON, from which the factory makes it again. A layer without options cannot be saved. */
  readonly config?: object;
  /** The shape of one image's output. Default: that of the only input. @throws ShapeError, OptionError naming `where`. */
  outputShape?(inputs: readonly Shape[], where: string): Shape;
  /**
   * The type of the output's numbers. Default: float32, of inputs of float32. @throws OptionError naming `where` for inputs
   * of types that the layer cannot read
   */
  outputType?(inputs: readonly DType[], where: string): DType;
  /** The weights for inputs of these shapes. Default: none. */
  weights?(inputs: readonly Shape[]): WeightSpec[];
  /** False for a layer without a backward pass: training is refused where something before it learns. Default: true. */
  readonly differentiable?: boolean;
  /**
   * True for a layer whose output has a slope of zero everywhere, such as a comparison: no gradient goes back through it,
   * and layers before it learn through other layers or not at all. A list of indices says the same of single inputs. Default: false.
   */
  readonly stopsGradient?: boolean | readonly number[];
  /** True for the inputs `x` and the output `y` that the backward pass reads, so that the planner keeps them. Default: false. */
  readonly backwardReads?: { readonly x?: boolean; readonly y?: boolean };
  /** The layer as an epilogue of the one before it, in inference. Default: no other layer can do its work. */
  readonly asEpilogue?: AsEpilogue;
  /** The kinds of epilogue that its own pass can do, in this order and each at most once. Default: none. */
  readonly fusable?: readonly EpilogueKind[];
  /**
   * Indices of the inputs whose memory the output may overwrite in inference. They are the first inputs, each element of
   * which is read before it is overwritten; the inputs after them may be read later. Default: none.
   */
  readonly overwrites?: readonly number[];
  /** @throws OptionError naming `where` when the layer has no algorithm of its own and cannot be computed by this one */
  checkAlgorithm?(inputs: readonly Shape[], where: string, algorithm: ConvAlgorithm): void;
  /** True when the output is the input's memory under another shape, so that no pass runs. Default: false. */
  isView?(training: boolean): boolean;
  /** True for a layer of the package with a `TrainingPass`. Default: `build` builds the pass of training as well. */
  readonly hasTrainingPass?: boolean;
  /** Reserves buffers and returns the forward pass. */
  build(context: BuildContext): Pass<State>;
}

/** A layer: its configuration and the functions that follow from it. Weights and buffers belong to the model. */
export interface Layer extends LayerDefinition {
  /**
   * True when training changes its weights. Set it to false to freeze the layer; `compile` reads it. Frozen batch
   * normalization uses its moving statistics. Default: true.
   */
  trainable: boolean;
  /**
   * The factor by which the optimizer's learning rate is multiplied for the layer's weights, such as 0.1 for a backbone under
   * a new head. `compile` reads it. Default: 1.
   */
  learningRateMultiplier: number;
  /** The name of a part of a composed layer, to which a model appends a number when another layer has it too. */
  label?: string;
  /** True for a layer that is composed of others, which `apply` puts into the graph in its place. */
  readonly isComposed?: boolean;
  outputShape(inputs: readonly Shape[], where: string): Shape;
  outputType(inputs: readonly DType[], where: string): DType;
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

/** A value that a model will compute. Graphs are built of these before there are any numbers. */
export class SymbolicTensor {
  /** The shape for one image, without the batch. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** The layer that computes it and the values that the layer reads; an input has none. */
  readonly layer: Layer | undefined;
  readonly inputs: readonly SymbolicTensor[];
  /** The name, if it is an input that has one. */
  readonly name: string | undefined;
  /** The value of a file that it is, if the net comes from one. */
  origin: ValueOrigin | undefined;
  /** The number of symbolic tensors created before; a value is always created after those that it is computed from. */
  readonly order = created++;

  /** Users call `input` and `layer.apply` instead. */
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
    this.origin = undefined;
  }
}

/** The shape of the input of a layer that has one. @throws ShapeError naming `where` unless there is exactly one */
export function onlyInput(inputs: readonly Shape[], where = "layer"): Shape {
  const [input] = inputs;
  if (!input || inputs.length !== 1) {
    throw new ShapeError(`${where}: expected one input, got ${inputs.length}`);
  }
  return input;
}

/** True when no gradient goes back from a layer to the input with index `place`. */
export function stopsAt({ stopsGradient = false }: LayerDefinition, place: number): boolean {
  return typeof stopsGradient === "boolean" ? stopsGradient : stopsGradient.includes(place);
}
