import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { FormatError } from "../errors.ts";
import { readIdx } from "../formats/idx.ts";
import { tensor, type Tensor } from "../index.ts";
import { Random } from "../random.ts";
import { DIGIT_SIZE, drawDigits } from "./digits.ts";
import { causeOf, UsageError } from "./usage.ts";

/** Images `[n, h, w, 1]`, normalised, and their labels `[n]`. */
export interface Split {
  readonly images: Tensor;
  readonly labels: Int32Array;
}

/** A pair of IDX files: grey images as bytes, and their labels `[n]`. */
export interface Files {
  readonly shape: readonly [count: number, height: number, width: number];
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

/** What a run trains on and what it is judged by. */
export interface Dataset {
  readonly source: string;
  readonly train: Split;
  readonly test: Split;
}

/** Number of classes: the ten figures. */
export const CLASSES = 10;

/** Mean and standard deviation of MNIST's training pixels in 0…1: the usual normalisation. */
const MEAN = 0.1307;
const DEVIATION = 0.3081;

/** How many digits a run without data draws. */
const DRAWN_TRAIN = 6000;
const DRAWN_TEST = 2000;

/** LeNet-5's second 5×5 filter bank needs a side of 12: 12 → pool 6 → valid 5×5: 2 → pool 1. */
const SMALLEST_SIDE = 12;

/** The bytes of `<folder>/<name>`, or of `<folder>/<name>.gz` unpacked; undefined if neither exists. */
function readPlainOrGzip(folder: string, name: string): Uint8Array | undefined {
  for (const file of [name, `${name}.gz`]) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(join(folder, file));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") continue;
      throw new UsageError(`${join(folder, file)}: cannot be read (${causeOf(error)})`);
    }
    if (file === name) return bytes;
    try {
      return gunzipSync(bytes);
    } catch (error) {
      throw new UsageError(`${join(folder, file)}: expected a whole gzip file (${causeOf(error)})`);
    }
  }
  return undefined;
}

/** Turns the errors of a file's format into usage errors: the user named the folder. */
function parse(folder: string, name: string, bytes: Uint8Array): { shape: number[]; data: Uint8Array } {
  try {
    return readIdx(bytes, join(folder, name));
  } catch (error) {
    if (error instanceof FormatError) throw new UsageError(error.message);
    throw error;
  }
}

/** Bytes 0…255 → `(x / 255 − mean) / deviation`, rounded to float32 once. */
function normalizeBytes(bytes: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - MEAN) / DEVIATION);
  return Float32Array.from(bytes, (byte) => table[byte]!);
}

/** Checks a pair of files against each other. */
function readPair(folder: string, prefix: string, files: ReadonlyMap<string, Uint8Array>): Files {
  const imagesName = `${prefix}-images-idx3-ubyte`;
  const labelsName = `${prefix}-labels-idx1-ubyte`;
  const images = parse(folder, imagesName, files.get(imagesName)!);
  const labels = parse(folder, labelsName, files.get(labelsName)!);
  const [count, height, width] = images.shape as [number, number, number];
  const imagesPath = join(folder, imagesName);
  const labelsPath = join(folder, labelsName);
  if (images.shape.length !== 3) {
    throw new UsageError(`${imagesPath}: expected 3 dimensions, got ${images.shape.length}`);
  }
  if (labels.shape.length !== 1) {
    throw new UsageError(`${labelsPath}: expected 1 dimension, got ${labels.shape.length}`);
  }
  if (labels.data.length !== count) {
    throw new UsageError(`${labelsPath}: expected ${count} labels, one an image, got ${labels.data.length}`);
  }
  if (Math.min(height, width) < SMALLEST_SIDE) {
    const least = `${SMALLEST_SIDE}×${SMALLEST_SIDE}`;
    throw new UsageError(`${imagesPath}: expected images of ${least} or more, got ${height}×${width}`);
  }
  const wrong = labels.data.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    throw new UsageError(`${labelsPath}: label ${wrong}: expected 0 to 9, got ${labels.data[wrong]}`);
  }
  return { shape: [count, height, width], pixels: images.data, labels: Int32Array.from(labels.data) };
}

/**
 * Reads the four files of MNIST, or of any set with their names and form, each plain or gzipped.
 *
 * @throws UsageError naming the folder or file, the expected and the given
 */
export function readFolder(folder: string): { train: Files; test: Files } {
  let isFolder: boolean;
  try {
    isFolder = statSync(folder).isDirectory();
  } catch (error) {
    throw new UsageError(`${folder}: expected a folder with the MNIST files, got none (${causeOf(error)})`);
  }
  if (!isFolder) throw new UsageError(`${folder}: expected a folder with the MNIST files, got a file`);

  const files = new Map<string, Uint8Array>();
  const missing: string[] = [];
  for (const prefix of ["train", "t10k"]) {
    for (const name of [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`]) {
      const bytes = readPlainOrGzip(folder, name);
      if (bytes === undefined) missing.push(name);
      else files.set(name, bytes);
    }
  }
  if (missing.length > 0) {
    throw new UsageError(
      `${folder}: expected the four MNIST files, plain or .gz, missing ${missing.join(", ")}`,
    );
  }
  const train = readPair(folder, "train", files);
  const test = readPair(folder, "t10k", files);
  const [trainSize, testSize] = [train, test].map(({ shape }) => shape.slice(1).join("×"));
  if (trainSize !== testSize) {
    throw new UsageError(`${folder}: expected test images of ${trainSize} as in training, got ${testSize}`);
  }
  return { train, test };
}

/** As `readFolder`, with the images normalised. @throws UsageError as it does */
export function loadFolder(folder: string): Dataset {
  const { train, test } = readFolder(folder);
  const split = ({ shape, pixels, labels }: Files): Split => ({
    images: tensor(normalizeBytes(pixels), [...shape, 1]),
    labels,
  });
  return { source: folder, train: split(train), test: split(test) };
}

/** Draws the digits of a run without data. The seed's stream gives one seed to each split. */
export function drawDataset(seed: number): Dataset {
  const random = new Random(seed);
  const [train, test] = [DRAWN_TRAIN, DRAWN_TEST].map((count): Split => {
    const { images, labels } = drawDigits(count, random.nextUint32());
    const data = images.map((value) => (value - MEAN) / DEVIATION);
    return { images: tensor(data, [count, DIGIT_SIZE, DIGIT_SIZE, 1]), labels };
  }) as [Split, Split];
  return { source: "drawn digits", train, test };
}
