/** What the file of a model tells besides the net: names of its classes, and how images become its input. */
import { FormatError, OptionError } from "./errors.ts";
import { INTERPOLATIONS, type ImageInterpolation } from "./images/coefficients.ts";
import { FITS, type Fit } from "./images/fit.ts";
import { choiceOf, finiteNumber, flag, positiveInteger, readOptions, show, sizePair } from "./options.ts";

/**
 * How an image becomes the input: it is resized, and a pixel from 0 to 255 becomes `(pixel · scale − mean) / std`. The options
 * are those of `resize` and `normalize` of `im2row/images`, whose `preprocess` does what they say.
 */
export interface Preprocessing {
  /** `[height, width]` of the images that the net is fed with. Default: those of the input. */
  readonly size?: readonly [height: number, width: number] | undefined;
  /**
   * The pixels of the shorter side, to which images are resized first; `size` is then cut out of the middle. Default: they are
   * resized to `size`.
   */
  readonly shortSide?: number | undefined;
  /** What becomes of other proportions than those of `size`. Not beside `shortSide`. Default: `"stretch"`. */
  readonly fit?: Fit | undefined;
  /** The bytes of a letterbox's margins: one, or one for each channel. Default: 0. */
  readonly fillValue?: readonly number[] | undefined;
  /** Default: `"bilinear"`. */
  readonly interpolation?: ImageInterpolation | undefined;
  /** Whether every pixel counts where the image gets smaller. Default: true. */
  readonly antialias?: boolean | undefined;
  /** The factor of each pixel. Default: 1/255. */
  readonly scale?: number | undefined;
  /** One number, or one for each channel. Default: 0. */
  readonly mean?: readonly number[] | undefined;
  /** One number, or one for each channel. Default: 1. */
  readonly std?: readonly number[] | undefined;
}

export interface ModelMetadata {
  /** The names of the classes, in the order of the output. */
  readonly classNames?: readonly string[] | undefined;
  readonly preprocessing?: Preprocessing | undefined;
}

function nonZero(where: string, value: unknown): number {
  const number = finiteNumber(where, value);
  if (number === 0) throw new OptionError(`${where}: expected a number that is not 0, got 0`);
  return number;
}

/** Reads lists of what another function reads. */
const listOfEach =
  <T>(read: (where: string, value: unknown) => T) =>
  (where: string, value: unknown): T[] => {
    if (!Array.isArray(value) || value.length === 0) {
      throw new OptionError(`${where}: expected a list, got ${show(value)}`);
    }
    return Array.from(value, (each: unknown, i) => read(`${where}[${i}]`, each));
  };

function readName(where: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new OptionError(`${where}: expected a text, got ${show(value)}`);
}

function byte(where: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255) return value as number;
  throw new OptionError(`${where}: expected a byte, got ${show(value)}`);
}

/** Readers for `readOptions`. */
export const preprocessingReaders = () =>
  ({
    size: [sizePair],
    shortSide: [positiveInteger],
    fit: [choiceOf(FITS)],
    fillValue: [listOfEach(byte)],
    interpolation: [choiceOf(INTERPOLATIONS)],
    antialias: [flag],
    scale: [nonZero],
    mean: [listOfEach(finiteNumber)],
    std: [listOfEach(nonZero)],
  }) as const;

/** @throws OptionError for options that are sound each by itself, but not together */
export function checkPreprocessing(where: string, { shortSide, fit }: Preprocessing): void {
  if (shortSide === undefined || fit === undefined) return;
  throw new OptionError(`${where}: expected shortSide or fit, got both`);
}

function readPreprocessing(where: string, value: Preprocessing): Preprocessing {
  const read = readOptions(where, value, preprocessingReaders(), []);
  checkPreprocessing(where, read);
  return read;
}

/** A copy of metadata. @throws OptionError naming the place of what is none */
export const readMetadata = (where: string, value: ModelMetadata): ModelMetadata =>
  readOptions(where, value, { classNames: [listOfEach(readName)], preprocessing: [readPreprocessing] }, []);

/** Metadata as texts by name, in JSON, for files that have such; `prefix` stands before each name. */
export const metadataTexts = (metadata: ModelMetadata, prefix = ""): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [prefix + name, JSON.stringify(value)]));

/** Reads the metadata among the texts of a file. @throws FormatError */
export function parseMetadata(
  where: string,
  texts: Readonly<Record<string, string>>,
  prefix = "",
): ModelMetadata {
  try {
    const entries = ["classNames", "preprocessing"].flatMap((name) => {
      const text = texts[prefix + name];
      return text === undefined ? [] : [[name, JSON.parse(text)] as const];
    });
    return readMetadata(`${where}: metadata`, Object.fromEntries(entries) as ModelMetadata);
  } catch (error) {
    throw new FormatError(
      error instanceof OptionError ? error.message : `${where}: metadata: expected JSON, got other text`,
      { cause: error },
    );
  }
}
