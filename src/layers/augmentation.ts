/**
 * Layers that change images at random in training and leave them as they are in inference. What happens to an image follows
 * from the model's seed, the epoch, the layer and the image's number in the data set alone: `assembly/augmentation` has the
 * formulas.
 */
import { OptionError } from "../errors.ts";
import { FILL_MODE, RANDOM_MAP } from "../kernels/kernels.ts";
import { imageOf } from "../kernels/window.ts";
import { choiceOf, finiteNumber, pairOf, readOptions, show, type Readers, type Settled } from "../options.ts";
import {
  noPass,
  onlyInput,
  type BuildContext,
  type Layer,
  type Pass,
  type TrainingPass,
} from "./contract.ts";
import { cropping, type CropOptions } from "./preprocessing.ts";
import { layerOf } from "./symbolic.ts";

export type FillMode = keyof typeof FILL_MODE;

/** A range of random numbers: ±factor, or from one to the other. */
export type Factor = number | readonly [low: number, high: number];

export interface SamplingOptions {
  /** What stands beyond the edges. Default: `"reflect"`. */
  fillMode?: FillMode | undefined;
  /** Default: `"bilinear"`. */
  interpolation?: "bilinear" | "nearest" | undefined;
  /** The value beyond the edges for `"constant"`. Default: 0. */
  fillValue?: number | undefined;
  name?: string | undefined;
}

export interface ShiftOptions extends SamplingOptions {
  /** The range for rows, as a share of the height. */
  heightFactor: Factor;
  /** The range for columns, as a share of the width. */
  widthFactor: Factor;
}

export interface ZoomOptions extends SamplingOptions {
  /** The range for rows: a factor above 0 makes the picture smaller, one below larger. */
  heightFactor: Factor;
  /** The range for columns. Default: the factor of the rows, so that proportions stay. */
  widthFactor?: Factor | undefined;
}

export interface ColorOptions {
  factor: Factor;
  /** The least and the largest value of pixels, to which results are clipped. Default: [0, 255]. */
  valueRange?: readonly [low: number, high: number] | undefined;
  name?: string | undefined;
}

type Range = readonly [low: number, high: number];

const isWithin = (value: unknown, low: number, high: number): value is number =>
  typeof value === "number" && value >= low && value <= high;

/** Reads a range within [−1, 1]. @throws OptionError */
function readFactor(where: string, value: unknown): Range {
  if (isWithin(value, 0, 1)) return [-value, value];
  const pair = pairOf(value);
  if (pair?.every((each) => isWithin(each, -1, 1)) && pair[0]! <= pair[1]!) return pair as [number, number];
  throw new OptionError(
    `${where}: expected a number from 0 to 1, or [low, high] from -1 to 1, got ${show(value)}`,
  );
}

function readContrast(where: string, value: unknown): Range {
  const pair = Array.isArray(value) ? pairOf(value) : [value, value];
  if (pair?.every((each) => isWithin(each, 0, 1))) return pair as [number, number];
  throw new OptionError(
    `${where}: expected a number from 0 to 1, or [lower, upper] of them, got ${show(value)}`,
  );
}

function readRange(where: string, value: unknown): Range {
  const pair = pairOf(value);
  if (pair?.every(Number.isFinite) && pair[0]! < pair[1]!) return pair as [number, number];
  throw new OptionError(`${where}: expected [low, high] of finite numbers, got ${show(value)}`);
}

const SAMPLING = {
  fillMode: [choiceOf(Object.keys(FILL_MODE) as FillMode[]), "reflect"],
  interpolation: [choiceOf(["bilinear", "nearest"]), "bilinear"],
  fillValue: [finiteNumber, 0],
} as const;

const VALUES = { valueRange: [readRange, [0, 255]] } as const;

/** Makes a layer that keeps the size of images and does nothing in inference. */
function augmenting<Options extends { name?: string | undefined }>(
  type: string,
  options: Options,
  readers: Readers<Options>,
): Layer {
  return layerOf({
    type,
    name: options.name,
    config: readOptions(type, options, readers),
    differentiable: false,
    hasTrainingPass: true,
    isView: (training) => !training,
    outputShape: (inputs, where) => imageOf(where, onlyInput(inputs, where)),
    build: noPass,
  });
}

const MODES = ["horizontal", "vertical", "horizontalAndVertical"] as const;

interface FlipOptions {
  mode?: (typeof MODES)[number] | undefined;
  name?: string | undefined;
}

/**
 * Mirrors images at random, each direction for every second image.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomFlip(options: FlipOptions = {}): Layer {
  return augmenting("randomFlip", options, { mode: [choiceOf(MODES), "horizontalAndVertical"] });
}

/**
 * Moves images at random by a share of their height and width: down and to the right for shares above 0.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomTranslation(options: ShiftOptions): Layer {
  return augmenting("randomTranslation", options, {
    heightFactor: readFactor,
    widthFactor: readFactor,
    ...SAMPLING,
  });
}

type RotationOptions = SamplingOptions & { factor: Factor };

/**
 * Turns images at random around their middle by a share of a whole turn: counter-clockwise for shares above 0.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomRotation(options: RotationOptions): Layer {
  return augmenting("randomRotation", options, { factor: readFactor, ...SAMPLING });
}

/**
 * Shrinks and enlarges images at random around their middle: a pixel of the result shows 1 + factor pixels.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomZoom(options: ZoomOptions): Layer {
  return augmenting("randomZoom", options, {
    heightFactor: readFactor,
    widthFactor: [readFactor],
    ...SAMPLING,
  });
}

/**
 * Multiplies each channel's differences from its mean by a random number from 1 − lower to 1 + upper, where `factor` is both
 * or `[lower, upper]`, and clips to `valueRange`.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomContrast(options: ColorOptions): Layer {
  return augmenting("randomContrast", options, { factor: readContrast, ...VALUES });
}

/**
 * Adds a random share of the width of `valueRange` to all pixels of an image, and clips to that range.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function randomBrightness(options: ColorOptions): Layer {
  return augmenting("randomBrightness", options, { factor: readFactor, ...VALUES });
}

/**
 * Cuts a part of `height` × `width` pixels out of images: at a random place in training, and in inference the middle, from
 * the row ⌊(h − height) / 2⌋ on. A frozen layer takes the middle in training too.
 * @throws OptionError; ShapeError for images that are smaller
 */
export function randomCrop(options: CropOptions): Layer {
  return cropping("randomCrop", options, { hasTrainingPass: true });
}

/** The key of a layer's random numbers, as kernels take it. */
const keyOf = ({ randomKey: { batch, layer } }: BuildContext) =>
  [batch.seedLow, batch.seedHigh, batch.epoch, layer, batch.indices] as const;

type Sampling = Settled<Omit<SamplingOptions, "name">>;

const NEAREST: Sampling = { fillMode: "nearest", interpolation: "nearest", fillValue: 0 };

/** The pass that maps images as `randomTransform` does, by the ranges of rows and of columns. */
function mapped(
  context: BuildContext,
  kind: number,
  [rowLow, rowHigh]: Range,
  [columnLow, columnHigh]: Range,
  { fillMode, interpolation, fillValue }: Sampling,
): Pass {
  const { kernels, inputs, output, x, y } = context;
  const sizes = [...onlyInput(inputs), ...output.slice(0, 2)] as [number, number, number, number, number];
  const numbers = Float32Array.of(rowLow, rowHigh, columnLow, columnHigh, fillValue);
  const settings = context.table(new Int32Array(numbers.buffer));
  const [bilinear, fill] = [interpolation === "bilinear", FILL_MODE[fillMode]];
  const forward = (n: number): void => {
    const [a, b] = [x.pointer, y.pointer];
    kernels.randomTransform(kind, bilinear, fill, settings, a, b, n, ...sizes, ...keyOf(context));
  };
  return { forward };
}

export const randomFlipPass: TrainingPass<Settled<Omit<FlipOptions, "name">>> = (context, { mode }) =>
  mapped(
    context,
    RANDOM_MAP.flip,
    [mode === "horizontal" ? 0 : 0.5, 0],
    [mode === "vertical" ? 0 : 0.5, 0],
    NEAREST,
  );

type Shift = Sampling & { readonly heightFactor: Range; readonly widthFactor: Range };

export const randomTranslationPass: TrainingPass<Shift> = (context, config) =>
  mapped(context, RANDOM_MAP.translation, config.heightFactor, config.widthFactor, config);

export const randomRotationPass: TrainingPass<Sampling & { readonly factor: Range }> = (context, config) =>
  mapped(context, RANDOM_MAP.rotation, config.factor, [0, 0], config);

type Zoom = Sampling & { readonly heightFactor: Range; readonly widthFactor?: Range };

export const randomZoomPass: TrainingPass<Zoom> = (context, config) => {
  const { heightFactor, widthFactor } = config;
  const kind = widthFactor ? RANDOM_MAP.zoom : RANDOM_MAP.evenZoom;
  return mapped(context, kind, heightFactor, widthFactor ?? heightFactor, config);
};

export const randomCropPass: TrainingPass = (context) =>
  context.training ? mapped(context, RANDOM_MAP.crop, [0, 0], [0, 0], NEAREST) : undefined;

interface Color {
  readonly factor: Range;
  readonly valueRange: Range;
}

/** The pass of more, or less, contrast or brightness, by the range of the random number. */
function colored(context: BuildContext, contrast: boolean, [low, high]: Range, { valueRange }: Color): Pass {
  const { kernels, inputs, x, y } = context;
  const [floor, ceiling] = valueRange;
  const [h, w, c] = imageOf(context.name, onlyInput(inputs));
  const forward = (n: number): void => {
    const [a, b] = [x.pointer, y.pointer];
    kernels.randomColor(contrast, low, high, floor, ceiling, a, b, n, h * w, c, ...keyOf(context));
  };
  return { forward };
}

export const randomContrastPass: TrainingPass<Color> = (context, config) =>
  colored(context, true, [-config.factor[0], config.factor[1]], config);

export const randomBrightnessPass: TrainingPass<Color> = (context, config) =>
  colored(context, false, config.factor, config);
