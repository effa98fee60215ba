import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { ShapeError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import {
  broadcastTogether,
  constantOf,
  OPERANDS,
  operandsOf,
  type OperandOptions,
  type Side,
} from "./operands.ts";

export interface MatMulLayerOptions extends OperandOptions {
  name?: string | undefined;
}

/** The sizes of matrices `[…, m, k]` and `[…, k, n]`, whose axes in front are broadcast. */
interface Matrices {
  /** The result's axes in front of the matrices. */
  readonly batch: Shape;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The operands' axes in front of the matrices, of the rank of `batch`, with 1 where they are repeated. */
  readonly operands: readonly [Shape, Shape];
  /** The operand that is a weight of the layer, which does not learn. */
  readonly constant: Side | undefined;
}

/** @throws ShapeError naming `where` unless the operands are matrices that can be multiplied */
function matricesFor(where: string, options: OperandOptions, inputs: readonly Shape[]): Matrices {
  const [a, b] = operandsOf(where, options, inputs);
  const [[m, k], [other, n]] = [a.slice(-2), b.slice(-2)] as [[number, number], [number, number]];
  if (a.length < 2 || k !== other) {
    throw new ShapeError(
      `${where}: expected matrices […, m, k] and […, k, n], got ${shapeText(a)} and ${shapeText(b)}`,
    );
  }
  const operands = [a.slice(0, -2), b.slice(0, -2)] as const;
  return { batch: broadcastTogether(where, operands), m, n, k, operands, constant: options.constant };
}

/** By product, in ascending order: the index of the operand's matrix that is multiplied. */
function matricesOf(batch: Shape, operand: Shape): number[] {
  return Array.from({ length: sizeOf(batch) }, (_, product) => {
    let matrix = 0;
    let rest = product;
    let stride = 1;
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const index = rest % batch[axis]!;
      rest = (rest - index) / batch[axis]!;
      if (operand[axis] !== 1) matrix += index * stride;
      stride *= operand[axis]!;
    }
    return matrix;
  });
}

/**
 * The product of matrices, `y[…, m, n] = a[…, m, k]·b[…, k, n]`. The axes in front of the matrices are broadcast. One
 * operand may be a weight of the layer, which does not learn.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function matMul(options: MatMulLayerOptions = {}): Layer {
  const config = readOptions("matMul", options, OPERANDS);
  const weights = constantOf("matMul", config);
  return layerOf({
    type: "matMul",
    name: options.name,
    config,
    backwardReads: { x: true },
    outputShape(inputs, where) {
      const { batch, m, n } = matricesFor(where, config, inputs);
      return [...batch, m, n];
    },
    weights: () => weights,
    build: (context) => buildPass(matricesFor(context.name, config, context.inputs), context),
  });
}

/** One operand in a plan: its buffer, the floats of one image and of one matrix, and by product the matrix it reads. */
interface Operand {
  readonly buffer: Buffer;
  readonly image: number;
  readonly matrix: number;
  readonly matrices: readonly number[];
}

/** The address of the matrix that an image's product reads. */
function at({ buffer, image, matrix, matrices }: Operand, i: number, product: number): number {
  return buffer.pointer + 4 * (i * image + matrices[product]! * matrix);
}

/** The operands of the products in a plan. */
interface Products {
  readonly matrices: Matrices;
  readonly a: Operand;
  readonly b: Operand;
  /** The result; its gradient has the same layout. */
  readonly c: Operand;
  /** Returns true when the kernel can read the second operand in place. */
  readonly asIs: () => boolean;
}

/** Calls `body` for each product of each image, in ascending order. */
function eachProduct(
  images: number,
  { batch }: Matrices,
  body: (image: number, product: number) => void,
): void {
  const products = sizeOf(batch);
  for (let i = 0; i < images; i++) for (let p = 0; p < products; p++) body(i, p);
}

function buildPass(matrices: Matrices, context: BuildContext): Pass<Products> {
  const { kernels, xs, weights, y } = context;
  const { batch, m, n, k, operands, constant } = matrices;
  // Subnormal weights count as zeros. The kernel flushes those of its second operand; the first is copied without them.
  const left = constant === 0 ? sizeOf(operands[0]) * m * k : 0;
  const flushed =
    left > 0
      ? context.laidOut(weights, "flushed", left, ({ pointer }) =>
          kernels.flushSubnormals(left, weights[0]!.pointer, pointer),
        )
      : undefined;
  let asIs = constant !== 1;
  const prepare = (): void => {
    flushed?.prepare();
    if (constant === 1) asIs = kernels.hasSubnormals(sizeOf(operands[1]) * k * n, weights[0]!.pointer) === 0;
  };
  const operand = (side: Side): Operand => {
    const matrix = side === 0 ? m * k : k * n;
    const fixed = constant === side;
    const buffer = fixed
      ? side === 0
        ? flushed!.buffer
        : weights[0]!
      : xs[constant === undefined ? side : 0]!;
    const image = fixed ? 0 : sizeOf(operands[side]) * matrix;
    return { buffer, image, matrix, matrices: matricesOf(batch, operands[side]) };
  };
  // The three operands have a list each, with one number for each product.
  context.spend(24 * sizeOf(batch));
  const [a, b] = [operand(0), operand(1)];
  const image = sizeOf(batch) * m * n;
  const c: Operand = { buffer: y, image, matrix: m * n, matrices: matricesOf(batch, batch) };
  const workspace = context.workspace(kernels.gemmWorkspace(n, k));
  const forward = (images: number): void =>
    eachProduct(images, matrices, (i, p) => {
      const [pa, pb, to] = [at(a, i, p), at(b, i, p), at(c, i, p)];
      kernels.gemm(0, 0, m, n, k, pa, k, pb, n, to, n, 0, 0, 0, 0, workspace.pointer, asIs);
    });
  return { prepare, forward, state: { matrices, a, b, c, asIs: () => asIs } };
}

/** `dA = dC·Bᵀ`, `dB = Aᵀ·dC`. The gradients of a matrix in several products are added up in ascending order. */
export const matMulGradient: Gradient<Products> = (context, { matrices, a, b, c, asIs }) => {
  const { kernels, dxs, dy } = context;
  const { m, n, k, constant } = matrices;
  const dc: Operand = { ...c, buffer: dy };
  const gradient = (side: Side): Operand | undefined => {
    const dx = constant === side ? undefined : dxs[constant === undefined ? side : 0];
    return dx ? { ...(side === 0 ? a : b), buffer: dx } : undefined;
  };
  const [da, db] = [gradient(0), gradient(1)];
  const workspace = context.workspace(Math.max(kernels.gemmWorkspace(k, n), kernels.gemmWorkspace(n, m)));
  const again = ({ matrices: own }: Operand, p: number): boolean => own.indexOf(own[p]!) < p;
  return (images) =>
    eachProduct(images, matrices, (i, p) => {
      const [dC, ws] = [at(dc, i, p), workspace.pointer];
      if (da) {
        const [B, to] = [at(b, i, p), at(da, i, p)];
        kernels.gemm(0, 1, m, k, n, dC, n, B, n, to, k, 0, 0, 0, again(da, p), ws, asIs());
      }
      if (db) {
        const [A, to] = [at(a, i, p), at(db, i, p)];
        kernels.gemm(1, 0, k, n, m, A, k, dC, n, to, n, 0, 0, 0, again(db, p), ws, true);
      }
    });
};
