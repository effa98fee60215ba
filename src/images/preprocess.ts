import { preprocessingReaders, checkPreprocessing, type Preprocessing } from "../metadata.ts";
import { choiceOf, readOptions } from "../options.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import type { Tensor } from "../tensor.ts";
import { centerCrop } from "./centerCrop.ts";
import { LAYOUTS, normalize, type Layout } from "./normalize.ts";
import { resize } from "./resize.ts";

export interface PreprocessOptions extends Preprocessing {
  /** `"NCHW"` for most nets from ONNX files. Default: `"NHWC"`. */
  layout?: Layout | undefined;
}

/** The part of `preprocess` that keeps bytes: the image in the size that the net takes. @throws as `preprocess` */
export function sized(
  engine: KernelEngine,
  image: Tensor<Uint8Array>,
  { size, shortSide, fit, fillValue, interpolation, antialias }: Preprocessing,
): Tensor<Uint8Array> {
  if (shortSide !== undefined) {
    const resized = resize(engine, image, { shortSide, interpolation, antialias });
    return size ? centerCrop(resized, size) : resized;
  }
  return size ? resize(engine, image, { size, fit, fillValue, interpolation, antialias }) : image;
}

/**
 * The batch for `predict`, `[n, h, w, c]` or `[n, c, h, w]`, of images as `metadata.preprocessing` of a model describes it:
 * `resize` to the shorter side and `centerCrop` to the size, or `resize` to the size; then `normalize`. Without `size` the
 * images stay as large as they are or become by `shortSide`.
 * @throws OptionError, ShapeError, MemoryError as those functions
 */
export function preprocess(
  engine: KernelEngine,
  images: Tensor<Uint8Array> | readonly Tensor<Uint8Array>[],
  options: PreprocessOptions = {},
): Tensor<Float32Array<ArrayBuffer>> {
  const readers = { ...preprocessingReaders(), layout: [choiceOf(LAYOUTS), "NHWC"] } as const;
  const { layout, ...preprocessing } = readOptions("preprocess", options, readers, []);
  checkPreprocessing("preprocess", preprocessing);
  const { scale, mean, std } = preprocessing;
  const all = Array.isArray(images)
    ? (images as readonly Tensor<Uint8Array>[]).map((image) => sized(engine, image, preprocessing))
    : sized(engine, images as Tensor<Uint8Array>, preprocessing);
  return normalize(engine, all, { scale, mean, std, layout });
}
