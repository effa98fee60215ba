/** Axes: the package's images are `[n, h, w, c]`, ONNX's `[n, c, h, w]`; what is no image has the same order in both. */
import type { Shape } from "../../tensor.ts";
import type { Site } from "./file.ts";

/** Whether a value, without its batch, is an image. */
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
