/** What a layer can do of the work of those after it, in inference: `model/fusion.ts` brings them together. */
import type { ActivationCode } from "../kernels/activation.ts";
import type { Buffer } from "./layer.ts";

/** `y = (x − mean)·gamma / √(variance + epsilon) + beta` with numbers for each channel that do not follow from the input. */
export interface Affine {
  readonly mean: Buffer;
  readonly variance: Buffer;
  readonly epsilon: number;
  readonly gamma: Buffer | undefined;
  readonly beta: Buffer | undefined;
}

/** What a layer is to the one before it, when nobody else reads what lies between. */
export type Role =
  | { readonly kind: "affine"; of(weights: readonly Buffer[]): Affine }
  /** The sum of two values of one shape. */
  | { readonly kind: "sum" }
  /** Of each element by itself. */
  | { readonly kind: "activation"; readonly activation: ActivationCode };

/** The roles that a layer's pass can play as well, in this order and each once. */
export type Takes = readonly Role["kind"][];

/** What follows a layer's own formula: `act(affine(layer(x)) + sum)`. What is absent is left out. */
export interface Epilogue {
  readonly affine?: Affine;
  /** The other operand, of the shape of the output. */
  readonly sum?: Buffer;
  readonly activation?: ActivationCode;
}
