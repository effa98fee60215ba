import type { DType } from "../../dtype.ts";
import type { Shape } from "../../tensor.ts";
import type { TensorProto } from "./proto.ts";

/**
 * Types of elements. In linear memory they take four bytes: float32, or int32 for integers and booleans, which are 0 and 1.
 * Inputs of uint8 alone are bytes there too, until something makes numbers of them.
 */
export type ElementType = "float32" | "int64" | "int32" | "bool" | "uint8";

/** The type of the elements in linear memory. */
export function dtypeOf(type: ElementType): DType {
  return type === "float32" || type === "uint8" ? type : "int32";
}

/**
 * Elements on the host. Integers of the file are float64 here, which holds them exactly up to 2⁵³; at run time int32.
 */
export type Numbers = Float32Array | Float64Array | Int32Array;

export interface TensorType {
  readonly type: ElementType;
  /** The shape is the file's: images are `[n, c, h, w]`. */
  readonly shape: Shape;
}

/** A tensor whose elements are known when the file is loaded. */
export interface Constant extends TensorType {
  /** Read from the file when it is asked for, so that weights are not kept twice. */
  data(): Numbers;
  /** The tensor of the file that it is, for files that are written again. */
  readonly source?: TensorProto;
  /** Whether it is a float initializer, which is what learns. */
  readonly weight?: boolean;
  /** The part that belongs to each image, of a constant that repeats it for all of them. */
  readonly each?: Constant;
  /** Whether it follows from the shape of an input: then it may determine shapes, but is no number to compute with. */
  readonly ofShape?: boolean;
  /** Whether it is the list of the sizes of a value, of which the first alone is that of the images. */
  readonly isShape?: boolean;
}

/** Elements for values of a type that are known when the file is loaded. */
export function constantRoom(type: ElementType, size: number): Numbers {
  return type === "float32" ? new Float32Array(size) : new Float64Array(size);
}
