/** Axes: the package's images are `[n, h, w, c]`, ONNX's `[n, c, h, w]`; what is no image has the same order in both. */
import { sameShape, type Shape, type Tensor } from "../../tensor.ts";
import { reorder } from "../file/reorder.ts";
import type { Site } from "./file.ts";

/** True for the shape of an image, without its batch. */
export const isImage = (shape: Shape): boolean => shape.length === 3;

/** The shape that a value has in the file, without its batch. */
export function fileShape(shape: Shape): Shape {
  const [h, w, c] = shape;
  return isImage(shape) ? [c!, h!, w!] : shape;
}

/** The axis of the file's value for one of the package's, counted without the batch. */
export function fileAxis(axis: number, rank: number): number {
  return rank === 3 ? [2, 3, 1][axis]! : axis + 1;
}

export const NHWC_TO_NCHW = [0, 3, 1, 2];
export const NCHW_TO_NHWC = [0, 2, 3, 1];

/** Integers of the shape of one image's value, in the file's order; float64 holds those of 32 bits. */
export function integersInFile(data: ArrayLike<number>, shape: Shape): ArrayLike<number> {
  return isImage(shape) ? reorder(data, shape, [2, 0, 1], new Float64Array(data.length)) : data;
}

/** A weight of the shape of one image's value, with its axes in the order that they have in the file. */
export function inFileOrder({ shape, data }: Tensor): Tensor {
  return { shape: fileShape(shape), data: isImage(shape) ? reorder(data, shape, [2, 0, 1]) : data };
}

/** True when the elements of a value lie in another order in the file. */
export const isTurned = (shape: Shape): boolean =>
  isImage(shape) && shape[2]! > 1 && shape[0]! * shape[1]! > 1;

/**
 * Gives a value another shape, which the file has in the package's order of axes or, by `inOwn`, in its own. Elements are
 * counted in the package's order. `name` is that of the constant that holds the shape.
 */
function reshapedTo(site: Site, x: string, from: Shape, to: Shape, name: string, inOwn: boolean): string {
  const turns = isTurned(from);
  const lying = turns ? from : fileShape(from);
  const turnsBack = inOwn && isTurned(to);
  const target = inOwn && !turnsBack ? fileShape(to) : to;
  let y = turns ? site.op("Transpose", [x], { perm: NCHW_TO_NHWC }) : x;
  if (!sameShape(lying, target)) y = site.op("Reshape", [y, site.integers(name, [0, ...target])]);
  return turnsBack ? site.op("Transpose", [y], { perm: NHWC_TO_NCHW }) : y;
}

/** A value of the file under another shape, in the file's order of axes. */
export function reshaped(site: Site, x: string, from: Shape, to: Shape, name = "shape"): string {
  return sameShape(from, to) ? x : reshapedTo(site, x, from, to, name, true);
}

/** A value of the file under another shape, in the package's order of axes. */
export function inPackageOrder(site: Site, x: string, from: Shape, to: Shape, name: string): string {
  return reshapedTo(site, x, from, to, name, false);
}

/** A value whose axes are in the package's order, in the file's. */
export function toFileOrder(site: Site, y: string, shape: Shape): string {
  return isImage(shape) ? site.op("Transpose", [y], { perm: NHWC_TO_NCHW }) : y;
}

/** Runs `body` on a value whose channels are last, as the package has them. */
export function channelsLast(site: Site, x: string, body: (x: string) => string): string {
  if (!isImage(site.shape)) return body(x);
  const y = body(site.op("Transpose", [x], { perm: NCHW_TO_NHWC }));
  return site.op("Transpose", [y], { perm: NHWC_TO_NCHW });
}

/** Runs `body` on a value whose channels come after the batch: an image is like that, and what has channels alone. */
export function channelsFirst(site: Site, x: string, body: (x: string) => string): string {
  const rank = site.shape.length;
  if (rank === 1 || isImage(site.shape)) return body(x);
  const inner = Array.from({ length: rank - 1 }, (_, i) => i);
  const y = body(site.op("Transpose", [x], { perm: [0, rank, ...inner.map((i) => i + 1)] }));
  return site.op("Transpose", [y], { perm: [0, ...inner.map((i) => i + 2), 1] });
}
