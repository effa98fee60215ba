/** Sums and products of an image and one row of channels, which is applied to all pixels. */
import { sameShape, sizeOf, type Shape } from "../tensor.ts";
import type { BuildContext, GradientContext, Pass } from "./contract.ts";

/** The indices of the image and of the row among the two inputs. */
export interface RowPair {
  readonly image: number;
  readonly row: number;
}

/** True when the first shape is `[c]` or `[1, …, 1, c]`, that of a row for an image `[…, c]`. */
function isRow(row: Shape, image: Shape): boolean {
  const c = image.at(-1);
  return image.length > 1 && row.at(-1) === c && sizeOf(row) === c && [1, image.length].includes(row.length);
}

/** The image and the row among two values, or undefined when they are not such a pair. */
export function rowPair(shapes: readonly Shape[]): RowPair | undefined {
  const [a, b] = shapes;
  if (!a || !b || shapes.length !== 2 || sameShape(a, b)) return undefined;
  if (isRow(b, a)) return { image: 0, row: 1 };
  return isRow(a, b) ? { image: 1, row: 0 } : undefined;
}

/** The numbers of pixels and channels of one image. */
function rowsOf(shape: Shape): [rows: number, c: number] {
  const c = shape.at(-1)!;
  return [sizeOf(shape) / c, c];
}

export function addRow(context: BuildContext, { image, row }: RowPair): Pass {
  const { kernels, output, xs, y, epilogue } = context;
  const [rows, c] = rowsOf(output);
  const [x, s] = [xs[image]!, xs[row]!];
  const { activation } = epilogue;
  return {
    forward(n) {
      kernels.addRowsForward(n, rows, c, x.pointer, s.pointer, y.pointer);
      if (!activation) return;
      kernels.activationForward(activation.code, activation.alpha, y.pointer, y.pointer, n * rows * c);
    },
  };
}

/** The gradient of the image is dy, that of the row is the sum of dy over the pixels. */
export function addRowGradient(context: GradientContext, { image, row }: RowPair): (n: number) => void {
  const { kernels, output, dxs, dy } = context;
  const [rows, c] = rowsOf(output);
  const [dx, ds] = [dxs[image], dxs[row]];
  return (n) => {
    if (dx) kernels.copyRows(n, rows * c, dy.pointer, rows * c, dx.pointer, rows * c);
    if (ds) kernels.addRowsBackward(n, rows, c, dy.pointer, ds.pointer);
  };
}

export function multiplyRow(context: BuildContext, { image, row }: RowPair): Pass {
  const { kernels, output, xs, y } = context;
  const [rows, c] = rowsOf(output);
  const [x, s] = [xs[image]!, xs[row]!];
  return { forward: (n) => kernels.multiplyRowsForward(n, rows, c, x.pointer, s.pointer, y.pointer) };
}

/** The gradient of the image is dy times the row, that of the row is the sum of dy times the image over the pixels. */
export function multiplyRowGradient(context: GradientContext, { image, row }: RowPair): (n: number) => void {
  const { kernels, output, xs, dxs, dy } = context;
  const [rows, c] = rowsOf(output);
  const [x, s, dx, ds] = [xs[image]!, xs[row]!, dxs[image], dxs[row]];
  return (n) => {
    if (dx) kernels.multiplyRowsForward(n, rows, c, dy.pointer, s.pointer, dx.pointer);
    if (ds) kernels.multiplyRowsBackward(n, rows, c, dy.pointer, x.pointer, ds.pointer);
  };
}
