import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { FormatError } from "../errors.ts";
import type { ModelMetadata } from "../metadata.ts";
import { readIdx, readIdxHeader } from "../formats/idx.ts";
import { tensor, type Tensor } from "../index.ts";
import { Random } from "../random.ts";
import { DIGIT_SIZE, drawDigits } from "./digits.ts";
import { gunzipBounded, gunzipStart, isGzip } from "./gzip.ts";
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

/** A run trains on `train` and is judged by `test`. */
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

/** What the file of a model tells of its classes and of how images become its inputs. */
export const DIGITS: ModelMetadata = {
  classNames: Array.from({ length: CLASSES }, (_, figure) => String(figure)),
  preprocessing: { scale: 1 / 255, mean: [MEAN], std: [DEVIATION] },
};

/** A run without data draws so many digits. */
const DRAWN_TRAIN = 6000;
const DRAWN_TEST = 2000;

/** LeNet-5's second 5×5 filter bank needs a side of 12: 12 → pool 6 → valid 5×5: 2 → pool 1. */
const SMALLEST_SIDE = 12;

/** Limit of a file's data when it is unpacked: a gzip file of a thousandth of that may ask for them. */
const MOST_BYTES = 2 ** 30;

/** An IDX file whose header has been read, and nothing unpacked yet. */
interface Source {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly shape: readonly number[];
  /** Bytes of the file when it is unpacked. */
  readonly length: number;
}

/** The errors of a file's format are usage errors: the user named the folder. */
function telling<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof FormatError ? new UsageError(error.message) : error;
  }
}

/**
 * `<folder>/<name>`, or `<folder>/<name>.gz`; undefined if neither exists. A file without .gz may be compressed too.
 */
function openIdx(folder: string, name: string): Source | undefined {
  for (const file of [name, `${name}.gz`]) {
    const path = join(folder, file);
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") continue;
      throw new UsageError(`${path}: cannot be read (${causeOf(error)})`);
    }
    if (file !== name && !isGzip(bytes)) {
      const given = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      throw new UsageError(
        `${path}: expected a gzip file, as its name says, got ${given === "" ? "nothing" : `one that begins with ${given}`}`,
      );
    }
    return telling(() => {
      // A file that is not compressed can be compared with its header at once.
      if (!isGzip(bytes)) readIdx(bytes, path);
      const { shape, start, size } = readIdxHeader(isGzip(bytes) ? gunzipStart(bytes, path) : bytes, path);
      if (size > MOST_BYTES) {
        throw new FormatError(
          `${path}: expected at most ${MOST_BYTES} bytes of data, got ${shape.join("×")}`,
        );
      }
      return { path, bytes, shape, length: start + size };
    });
  }
  return undefined;
}

/** The data of a file, of which no more is unpacked than its header says. */
function dataOf({ path, bytes, length }: Source): Uint8Array {
  return telling(() => readIdx(isGzip(bytes) ? gunzipBounded(bytes, length, path) : bytes, path).data);
}

/** Bytes 0…255 → `(x / 255 − mean) / deviation`, rounded to float32 once. */
function normalizeBytes(bytes: Uint8Array): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - MEAN) / DEVIATION);
  return Float32Array.from(bytes, (byte) => table[byte]!);
}

/** The bytes of one of normalised images `[n, h, w, 1]`. */
export function pixelsOf({ shape, data }: Tensor, index: number): Uint8Array<ArrayBuffer> {
  const size = shape[1]! * shape[2]!;
  const image = data.subarray(index * size, (index + 1) * size);
  return Uint8Array.from(image, (value) =>
    Math.min(255, Math.max(0, Math.round(255 * (value * DEVIATION + MEAN)))),
  );
}

/** Checks the headers of a pair of files against each other. */
function checkPair(images: Source, labels: Source): void {
  const [count, height, width] = images.shape as [number, number, number];
  if (images.shape.length !== 3) {
    throw new UsageError(`${images.path}: expected 3 dimensions, got ${images.shape.length}`);
  }
  if (labels.shape.length !== 1) {
    throw new UsageError(`${labels.path}: expected 1 dimension, got ${labels.shape.length}`);
  }
  if (labels.shape[0] !== count) {
    throw new UsageError(`${labels.path}: expected ${count} labels, one an image, got ${labels.shape[0]}`);
  }
  if (Math.min(height, width) < SMALLEST_SIDE) {
    const least = `${SMALLEST_SIDE}×${SMALLEST_SIDE}`;
    throw new UsageError(`${images.path}: expected images of ${least} or more, got ${height}×${width}`);
  }
}

/** Unpacks a pair of files. */
function readPair(images: Source, labels: Source): Files {
  const classes = dataOf(labels);
  const wrong = classes.findIndex((label) => label >= CLASSES);
  if (wrong >= 0) {
    throw new UsageError(`${labels.path}: label ${wrong}: expected 0 to 9, got ${classes[wrong]}`);
  }
  return { shape: images.shape as Files["shape"], pixels: dataOf(images), labels: Int32Array.from(classes) };
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

  const names = ["train", "t10k"].flatMap((prefix) => [
    `${prefix}-images-idx3-ubyte`,
    `${prefix}-labels-idx1-ubyte`,
  ]);
  const sources = names.map((name) => openIdx(folder, name));
  const missing = names.filter((_, i) => !sources[i]);
  if (missing.length > 0) {
    throw new UsageError(
      `${folder}: expected the four MNIST files, plain or .gz, missing ${missing.join(", ")}`,
    );
  }
  const [trainImages, trainLabels, testImages, testLabels] = sources as [Source, Source, Source, Source];
  checkPair(trainImages, trainLabels);
  checkPair(testImages, testLabels);
  const [trainSize, testSize] = [trainImages, testImages].map(({ shape }) => shape.slice(1).join("×"));
  if (trainSize !== testSize) {
    throw new UsageError(`${folder}: expected test images of ${trainSize} as in training, got ${testSize}`);
  }
  return { train: readPair(trainImages, trainLabels), test: readPair(testImages, testLabels) };
}

/** Reads a folder as `readFolder` does, and normalises the images. @throws UsageError as it does */
export function loadFolder(folder: string): Dataset {
  const { train, test } = readFolder(folder);
  const split = ({ shape, pixels, labels }: Files): Split => ({
    images: tensor(normalizeBytes(pixels), [...shape, 1]),
    labels,
  });
  return { source: folder, train: split(train), test: split(test) };
}

/** Draws the digits of a run without data. Each split has a seed of its own, from the stream of `seed`. */
export function drawDataset(seed: number): Dataset {
  const random = new Random(seed);
  const [train, test] = [DRAWN_TRAIN, DRAWN_TEST].map((count): Split => {
    const { images, labels } = drawDigits(count, random.nextUint32());
    const data = images.map((value) => (value - MEAN) / DEVIATION);
    return { images: tensor(data, [count, DIGIT_SIZE, DIGIT_SIZE, 1]), labels };
  }) as [Split, Split];
  return { source: "drawn digits", train, test };
}
