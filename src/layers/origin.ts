/** What values and weights were in the file that a net was loaded from, so that a file written of it calls them so again. */
import type { Shape } from "../tensor.ts";

/** The value of the file that a value is. */
export interface ValueOrigin {
  readonly name: string;
  /** The name of the node that defines it, if that has one. */
  readonly node?: string | undefined;
  /**
   * The axes that it has in the file, in the order in which they lie in the model, with that of the images in front: for an
   * image NCHW that lies NHWC, `[0, 2, 3, 1]`.
   */
  readonly order: readonly number[];
  /** The file's name for the number of images, if it is an input that has one. */
  readonly images?: string | undefined;
}

/** The tensor of the file that a weight is. */
export interface WeightOrigin {
  readonly name: string;
  /** Its shape there, perhaps with other axes of size 1, and those axes in the order in which they lie in the weight. */
  readonly shape: Shape;
  readonly order: readonly number[];
}

/** The axes of more than one element, which decide how numbers lie. */
export const wideAxes = (shape: Shape): Shape => shape.filter((size) => size !== 1);

/** True when axes lie as they do in the file. */
export const isFileOrder = (order: readonly number[]): boolean =>
  order.every((axis, place) => axis === place);
