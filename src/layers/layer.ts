import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import type { Heap } from "../runtime/heap.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Window } from "../kernels/window.ts";
import { ShapeError } from "../errors.ts";
import type { Shape } from "../tensor.ts";
import type { BACKWARD } from "./backward.ts";
import type { Epilogue, Role, Takes } from "./epilogue.ts";
import type { Initializer } from "./initializers.ts";
import type { SymbolicTensor } from "./symbolic.ts";

/** A place in linear memory; the planner fills in the address before the first pass runs. */
export interface Buffer {
  pointer: number;
}

/** A tensor of numbers that a layer keeps. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: Shape;
  /** How it starts, or what gives its numbers. */
  readonly initializer: Initializer | (() => Float32Array);
  /** False for what no gradient changes, such as moving statistics. Default: true. */
  readonly trainable?: boolean;
}

/** What one layer does in a step for the first `n` images of the batch. Neither call allocates. */
export interface Pass {
  /** Makes what the pass keeps of its weights, after they changed: in inference, and of a frozen layer in training. */
  prepare?: () => void;
  forward(n: number): void;
  /** Absent when nothing before the layer and nothing in it learns. */
  backward?: (n: number) => void;
  /**
   * Brings what no gradient changes up to date after a training step; returns whether all of it is finite. Nothing is
   * stored without `commit`.
   */
  update?: (n: number, commit: boolean) => boolean;
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

/** What the plan hands a layer to build its pass from. */
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
  /** The backward passes of the layers with weights; absent when no gradient goes through the layer. */
  readonly backward: typeof BACKWARD | undefined;
  /** Shapes of one image's inputs and output. */
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** The first input, and all of them. */
  readonly x: Buffer;
  readonly xs: readonly Buffer[];
  readonly y: Buffer;
  /** Gradient of the output; in training only. The layer may overwrite it in its backward pass. */
  readonly dy: Buffer;
  /** Where the gradient of the first input goes, or null when nobody needs it, and those of all. */
  readonly dx: Buffer | null;
  readonly dxs: readonly (Buffer | null)[];
  /** What the pass does besides, of that which the layer `takes`; empty in training. */
  readonly epilogue: Epilogue;
  /** The layer's weights and the gradients of those that learn, in the order of `Layer.weights`. */
  readonly weights: readonly Buffer[];
  readonly gradients: readonly (Buffer | undefined)[];
  /** What random draws follow from, in training only: the batch that runs, and the layer's number in its graph. */
  readonly randomKey: { readonly batch: Readonly<BatchKey>; readonly layer: number };
  /** A buffer that keeps its content from the forward to the backward pass. */
  saved(elements: number): Buffer;
  /** A buffer that keeps its content from run to run. */
  kept(elements: number): Buffer;
  /** A buffer that is free again when the pass returns. */
  scratch(elements: number, pass: "forward" | "backward"): Buffer;
  /** A window's struct, which lives as long as the plan. */
  window(window: Window): number;
  /** The address of a copy of numbers that kernels read, which lives as long as the plan. */
  table(numbers: Int32Array): number;
  /** As `table`, of numbers that are made once so many were found to be within the limits. @throws MemoryError */
  tableOf(length: number, make: () => Int32Array): number;
  /** Counts bytes of JavaScript that the pass is about to take. @throws MemoryError when they become too many */
  spend(bytes: number): void;
}

/** A layer: its configuration and what follows from it. Weights and buffers belong to the model. */
export interface Layer extends LayerDefinition {
  /**
   * Whether training changes its weights. Set it to false to freeze the layer; `compile` reads it. Frozen batch
   * normalization uses its moving statistics. Default: true.
   */
  trainable: boolean;
  /**
   * Uses the layer in a graph: on one value, or a list of them. Each further use in one model shares its weights; each
   * model has weights of its own.
   * @throws ShapeError, OptionError when the values do not fit.
   */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor;
}

/** What makes a layer. */
export interface LayerDefinition {
  /** The name of its factory in `layers`. */
  readonly type: string;
  /** The name that the user gave it. */
  readonly name?: string | undefined;
  /** Its options, as JSON, from which the factory makes it again. */
  readonly config: object;
  /** Shape of one image's output. @throws ShapeError, OptionError naming `where`. */
  outputShape(inputs: readonly Shape[], where: string): Shape;
  weights(inputs: readonly Shape[]): WeightSpec[];
  /** False for a layer without a backward pass: training is refused where something before it learns. Default: true. */
  readonly differentiable?: boolean;
  /**
   * True for a layer whose outputs are a constant to the gradient, as those of a comparison are: what is before it learns
   * from other readers, or not at all. Default: false.
   */
  readonly stopsGradient?: boolean;
  /** What its backward pass reads again, so that the planner keeps it. */
  readonly backwardReads: { readonly x: boolean; readonly y: boolean };
  /** What the layer is to the one before it, in inference; default: nothing that another layer could do. */
  readonly role?: Role;
  /** What its pass can do of the layers after it. Default: nothing. */
  readonly takes?: Takes;
  /**
   * Inputs that the output may be written over, by their place, in inference: the first ones, which are read before the
   * output is written; those behind them are read after that. Default: none.
   */
  readonly overwrites?: readonly number[];
  /** @throws OptionError naming `where` when its convolutions cannot be computed so, and it does not say how itself */
  checkAlgorithm?(inputs: readonly Shape[], where: string, algorithm: ConvAlgorithm): void;
  /** True when the output is the input's memory under another shape: no pass runs. */
  isView(training: boolean): boolean;
  build(context: BuildContext): Pass;
}

/** The only input of a layer that takes one. @throws ShapeError naming `where` */
export function onlyInput(inputs: readonly Shape[], where = "layer"): Shape {
  const [input] = inputs;
  if (!input || inputs.length !== 1) {
    throw new ShapeError(`${where}: expected one input, got ${inputs.length}`);
  }
  return input;
}
