import { MemoryError, OptionError } from "../errors.ts";
import {
  choiceOf,
  flag,
  listOf,
  positiveInteger,
  readOptions,
  show,
  sizePair,
  type Size,
} from "../options.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { shapeText, type Tensor } from "../tensor.ts";
import { ByteRegion } from "./byteRegion.ts";
import { INTERPOLATIONS, resampleTable, type ImageInterpolation, type Resampling } from "./coefficients.ts";
import { FITS, fitted, shortSided, type Fit, type Fitting, type Sides } from "./fit.ts";
import { readImages, shapeOf, type Images, type ImageTensor } from "./image.ts";

export interface ResizeOptions {
  /** Height and width of the result, or one number for both. */
  size?: Size | undefined;
  /** In the place of `size`: the pixels of the shorter side; the longer one follows by the image's proportions. */
  shortSide?: number | undefined;
  /**
   * What becomes of other proportions than those of `size`: `"stretch"` changes them, `"crop"` takes the largest part in the
   * middle, `"letterbox"` keeps all of the image, with margins. Default: `"stretch"`.
   */
  fit?: Fit | undefined;
  /** Default: `"bilinear"`. */
  interpolation?: ImageInterpolation | undefined;
  /** Whether every pixel counts where the image gets smaller. Default: true. */
  antialias?: boolean | undefined;
  /** The bytes of a letterbox's margins: one, or one for each channel. Default: 0. */
  fillValue?: number | readonly number[] | undefined;
}

/** Sides of a result, and bytes of a result or of what lies between the two passes: kernels count in 32 bits. */
const MOST_SIDE = 65535;
const MOST_BYTES = 2 ** 31 - 1;

const isByte = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;

function readFill(where: string, value: unknown): readonly number[] {
  const list = Array.isArray(value) ? listOf(value, isByte) : isByte(value) ? [value] : undefined;
  if (list && list.length > 0) return list;
  throw new OptionError(`${where}: expected a byte or one for each channel, got ${show(value)}`);
}

const READERS = {
  size: [sizePair],
  shortSide: [positiveInteger],
  fit: [choiceOf(FITS), "stretch"],
  interpolation: [choiceOf(INTERPOLATIONS), "bilinear"],
  antialias: [flag, true],
  fillValue: [readFill, 0],
} as const;

/** The size that the options ask for. @throws OptionError */
function sizeFor({ h, w }: Images, size: Sides | undefined, shortSide: number | undefined): Sides {
  if ((size === undefined) === (shortSide === undefined)) {
    const got = size === undefined ? "neither" : "both";
    throw new OptionError(`resize: expected size or shortSide, got ${got}`);
  }
  const sides = size ?? shortSided([h, w], shortSide!);
  if (Math.max(...sides) <= MOST_SIDE) return sides;
  throw new OptionError(`resize: expected sides of at most ${MOST_SIDE} pixels, got ${shapeText(sides)}`);
}

/** Copies the fitted images into a larger result, whose margins are filled. */
function framed(inner: Uint8Array<ArrayBuffer>, { n, c }: Images, fitting: Fitting, fill: readonly number[]) {
  const [[ih, iw], [oh, ow]] = [fitting.inner, fitting.outer];
  if (ih === oh && iw === ow) return inner;
  const data = new Uint8Array(n * oh * ow * c);
  if (fill.some((byte) => byte > 0)) {
    for (let i = 0; i < data.length; i++) data[i] = fill[fill.length === 1 ? 0 : i % c]!;
  }
  const row = iw * c;
  for (let i = 0; i < n * ih; i++) {
    const y = Math.floor(i / ih) * oh + fitting.top + (i % ih);
    data.set(inner.subarray(i * row, (i + 1) * row), (y * ow + fitting.left) * c);
  }
  return data;
}

/** The two passes: first along the rows, then along the columns. */
function resampled(runtime: Runtime, images: Images, fitting: Fitting, how: Resampling) {
  const { n, h, w, c, data } = images;
  const [oh, ow] = fitting.inner;
  const sizes = [n * h * w * c, n * h * ow * c, n * oh * ow * c] as const;
  const most = Math.max(...sizes);
  if (most > MOST_BYTES) throw new MemoryError(`resize: expected at most ${MOST_BYTES} bytes, got ${most}`);
  const region = new ByteRegion(runtime.heap, "resize");
  try {
    const across = resampleTable(w, fitting.columns, ow, how);
    const down = resampleTable(h, fitting.rows, oh, how);
    const [columns, rows] = [region.put(across.table), region.put(down.table)];
    const [x, between, y] = sizes.map((size) => region.bytes(size)) as [number, number, number];
    region.write(data, sizes[0], x);
    runtime.kernels.resampleBytes(columns, across.width, n * h, w, ow, c, x, between);
    runtime.kernels.resampleBytes(rows, down.width, n, h, oh, ow * c, between, y);
    return region.read(y, sizes[2]);
  } finally {
    region.release();
  }
}

/**
 * An image, or several of one size, in another: bytes `[oh, ow, c]`, or `[n, oh, ow, c]`. The bytes are those of Pillow's
 * `resize`, of `ImageOps.fit` for `"crop"` and of `ImageOps.pad` for `"letterbox"`; channels are resized each by itself.
 * @throws OptionError, ShapeError; MemoryError when the engine's memory cannot grow
 */
export function resize(engine: KernelEngine, image: Tensor<Uint8Array>, options: ResizeOptions): ImageTensor {
  const runtime = checkEngine("resize", engine);
  const { size, shortSide, fit, fillValue, ...how } = readOptions("resize", options, READERS, []);
  const images = readImages("resize: image", image);
  if (fillValue.length !== 1 && fillValue.length !== images.c) {
    throw new OptionError(
      `resize: fillValue: expected one byte, or one for each of ${images.c} channels; got ${fillValue.length}`,
    );
  }
  const fitting = fitted(fit, [images.h, images.w], sizeFor(images, size, shortSide));
  const data = framed(resampled(runtime, images, fitting, how), images, fitting, fillValue);
  return { shape: shapeOf(images, fitting.outer), data };
}
