/** What operators leave behind when they are lowered: layers with weights of the file, and the making of values. */
import type { Activation } from "../../kernels/activation.ts";
import type { Layer, SymbolicTensor } from "../../layers/contract.ts";
import type { WeightOrigin } from "../../layers/origin.ts";
import type { TensorProto } from "../file/proto.ts";
import type { Constant } from "../file/constant.ts";
import type { Computed } from "./values.ts";

/** The making of a value, as far as operators behind it may want to know it. */
export interface Origin {
  /** For an activation: its name, or with its parameter, and the value that it was applied to. */
  readonly activation?: { readonly kind: Activation; readonly of: Computed };
  /** For a convolution or a product without a bias: makes the same with one, a number for each channel. */
  readonly withBias?: (bias: Constant) => Computed | undefined;
}

/** A weight of a layer that starts with numbers of the file, perhaps in another order. */
export interface StoredWeight {
  readonly layer: Layer;
  readonly weight: string;
  /** The number of its elements. */
  readonly size: number;
  /** The tensor that it is in the file; undefined when its numbers are computed from others. */
  readonly source: TensorProto | undefined;
  /** The same for whom it is written again, if the weight has all of the tensor. */
  readonly origin: WeightOrigin | undefined;
  /** Tells weights apart that are made of one tensor in different ways. */
  readonly layout: string;
  /** The numbers that it starts with. */
  start(): Float32Array;
  /** The layer's numbers for the file's, and the file's for the layer's. */
  fromFile(data: ArrayLike<number>): Float32Array;
  toFile(data: Float32Array): Float32Array;
}

/** A layer that was applied to values. */
export interface Applied {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly output: SymbolicTensor;
  /** The name that it was to have; it has a number behind it where that was taken. */
  readonly base: string;
}

/** What the lowering of a node did to the builder, in order of time. */
export class Trace {
  readonly applied: Applied[] = [];
  readonly stored: StoredWeight[] = [];
  readonly fixed: TensorProto[] = [];
  readonly weights: { readonly source: TensorProto; readonly value: Computed }[] = [];
  /** The values whose making was asked for. */
  readonly asked: Computed[] = [];
}
