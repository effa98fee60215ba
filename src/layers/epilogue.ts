/** Epilogues: layers whose work the layer before them can do as well, in inference. `graph/fusion.ts` fuses the two. */
import type { ActivationCode } from "../kernels/activation.ts";
import type { Buffer } from "./buffer.ts";

/** `y = (x − mean)·gamma / √(variance + epsilon) + beta` with fixed numbers for each channel. */
export interface Affine {
  readonly mean: Buffer;
  readonly variance: Buffer;
  readonly epsilon: number;
  readonly gamma: Buffer | undefined;
  readonly beta: Buffer | undefined;
}

/** The epilogue that a layer can become for the one before it, if nothing else reads the value between them. */
export type AsEpilogue =
  | { readonly kind: "affine"; of(weights: readonly Buffer[]): Affine }
  /** The addition of another value of the same shape, as in a residual connection. */
  | { readonly kind: "residual" }
  /** A function of each element by itself. */
  | { readonly kind: "activation"; readonly activation: ActivationCode };

export type EpilogueKind = AsEpilogue["kind"];

/** The work after a layer's own formula, `act(affine(layer(x)) + residual)`; absent parts are skipped. */
export interface Epilogue {
  readonly affine?: Affine;
  /** The operand that is added; it has the shape of the output. */
  readonly residual?: Buffer;
  readonly activation?: ActivationCode;
}
