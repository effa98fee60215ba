import type { Job } from "../contest.ts";
import type { ConvShape } from "../shapes.ts";

/** Operands of a convolution, NHWC and HWIO. */
export interface ConvOperands {
  readonly shape: ConvShape;
  readonly x: Float32Array;
  readonly w: Float32Array;
  readonly b: Float32Array;
  readonly dy: Float32Array;
}

/** A pooling window over an image `[h, w, c]`. */
export interface PoolShape {
  readonly kind: "max" | "average";
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly poolSize: number;
  readonly strides: number;
}

/** A library to compare with: a job for what it can do. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  matMul?(m: number, n: number, k: number, a: Float32Array, b: Float32Array): Promise<Job>;
  /** With its bias; of as many groups as channels too. */
  conv2d?(operands: ConvOperands): Promise<Job>;
  filterGradient?(operands: ConvOperands): Promise<Job>;
  inputGradient?(operands: ConvOperands): Promise<Job>;
  pool?(shape: PoolShape, x: Float32Array): Promise<Job>;
  /** A network from its ONNX file, with the one input that it has. */
  network?(file: Uint8Array, input: string, shape: readonly number[], data: Float32Array): Promise<Job>;
}
