/** Merging an image with one row of channels for all of its pixels. */
import { sameShape, sizeOf, type Shape } from "../tensor.ts";
import type { BuildContext, Pass } from "./layer.ts";

/** Which of two values is the image, and which the row. */
export interface RowPair {
  readonly image: number;
  readonly row: number;
}

/** `[c]` and `[1, …, 1, c]` are rows for `[…, c]`. */
function isRow(row: Shape, image: Shape): boolean {
  const c = image.at(-1);
  return image.length > 1 && row.at(-1) === c && sizeOf(row) === c && [1, image.length].includes(row.length);
}

/** The pair that two values of different shapes make, if they make one. */
export function rowPair(shapes: readonly Shape[]): RowPair | undefined {
  const [a, b] = shapes;
  if (!a || !b || shapes.length !== 2 || sameShape(a, b)) return undefined;
  if (isRow(b, a)) return { image: 0, row: 1 };
  return isRow(a, b) ? { image: 1, row: 0 } : undefined;
}

/** Rows and columns of one image. */
function cut(shape: Shape): [rows: number, c: number] {
  const c = shape.at(-1)!;
  return [sizeOf(shape) / c, c];
}

export function addRow(context: BuildContext, { image, row }: RowPair): Pass {
  const { kernels, output, xs, y, dxs, dy, epilogue } = context;
  const [rows, c] = cut(output);
  const [x, s] = [xs[image]!, xs[row]!];
  const { activation } = epilogue;
  const forward = (n: number): void => {
    kernels.addRowsForward(n, rows, c, x.pointer, s.pointer, y.pointer);
    if (!activation) return;
    kernels.activationForward(activation.code, activation.alpha, y.pointer, y.pointer, n * rows * c);
  };
  if (!context.backward) return { forward };
  const [dx, ds] = [dxs[image], dxs[row]];
  return {
    forward,
    backward(n) {
      if (dx) kernels.copyRows(n, rows * c, dy.pointer, rows * c, dx.pointer, rows * c);
      if (ds) kernels.addRowsBackward(n, rows, c, dy.pointer, ds.pointer);
    },
  };
}

export function multiplyRow(context: BuildContext, { image, row }: RowPair): Pass {
  const { kernels, output, xs, y, dxs, dy } = context;
  const [rows, c] = cut(output);
  const [x, s] = [xs[image]!, xs[row]!];
  const forward = (n: number): void =>
    kernels.multiplyRowsForward(n, rows, c, x.pointer, s.pointer, y.pointer);
  if (!context.backward) return { forward };
  const [dx, ds] = [dxs[image], dxs[row]];
  return {
    forward,
    backward(n) {
      if (dx) kernels.multiplyRowsForward(n, rows, c, dy.pointer, s.pointer, dx.pointer);
      if (ds) kernels.multiplyRowsBackward(n, rows, c, dy.pointer, x.pointer, ds.pointer);
    },
  };
}
