/** The layers whose work the layer before them can do as well, in inference: `graph/fusion.ts` brings them together. */
import type { ActivationCode } from "../kernels/activation.ts";
import type { Buffer } from "./buffer.ts";

/**
 * `y = (x − mean)·gamma / √(variance + epsilon) + beta` with numbers for each channel that do not follow from the
 * input.
 */
export interface Affine {
  readonly mean: Buffer;
  readonly variance: Buffer;
  readonly epsilon: number;
  readonly gamma: Buffer | undefined;
  readonly beta: Buffer | undefined;
}

/** The work of a layer that the one before it can do, when nobody else reads the value between them. */
export type AsEpilogue =
  | { readonly kind: "affine"; of(weights: readonly Buffer[]): Affine }
  /** The sum with another value of the same shape, as a residual connection has it. */
  | { readonly kind: "residual" }
  /** A function of each element by itself. */
  | { readonly kind: "activation"; readonly activation: ActivationCode };

export type EpilogueKind = AsEpilogue["kind"];

/** The work after a layer's own formula: `act(affine(layer(x)) + residual)`, each part only if it is there. */
export interface Epilogue {
  readonly affine?: Affine;
  /** The other operand, of the shape of the output. */
  readonly residual?: Buffer;
  readonly activation?: ActivationCode;
}
