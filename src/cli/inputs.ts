/** The command line feeds an ONNX net with arrays, images and shapes, which are read and checked here. */
import { readFileSync } from "node:fs";
import { FormatError } from "../errors.ts";
import { isNpy, readNpy } from "../formats/npy.ts";
import type { Engine, Tensor } from "../index.ts";
import type { OnnxInput } from "../onnx.ts";
import type { Preprocessing } from "../metadata.ts";
import { listed } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { imageTensor } from "./image.ts";
import { isImage, kindOf } from "../images/files/read.ts";
import { causeOf, UsageError } from "./usage.ts";

/** `name=file`, or the file alone where there is one input or output. */
export interface NamedFile {
  readonly name?: string;
  readonly file: string;
}

/** `name=1x3x224x224`, or the shape alone where there is one input. */
export interface NamedShape {
  readonly name?: string;
  readonly shape: Shape;
}

/** Options by which images become numbers. */
export interface PixelOptions {
  readonly size?: readonly [number, number];
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** The bytes of a file. @throws UsageError */
export function read(file: string): Uint8Array {
  if (file === "") throw new UsageError("expected the name of a file, got an empty one");
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${causeOf(error)})`);
  }
}

const textOf = (given: NamedFile | NamedShape): string =>
  "file" in given ? given.file : given.shape.join("x");

/** Assigns the values of an option to `names`, each name at most once. @throws UsageError */
export function byName<T extends NamedFile | NamedShape>(
  option: string,
  given: readonly T[],
  names: readonly string[],
): Map<string, T> {
  const found = new Map<string, T>();
  for (const each of given) {
    const name = each.name ?? (names.length === 1 ? names[0]! : undefined);
    if (name === undefined || !names.includes(name)) {
      const what = "file" in each ? "file" : "shape";
      throw new UsageError(
        `--${option}: expected <name>=<${what}> with one of ${listed(names)}; got ${name ?? `${textOf(each)} without a name`}`,
      );
    }
    const before = found.get(name);
    if (before) {
      throw new UsageError(
        `--${option}: expected one for ${name}, got ${textOf(before)} and ${textOf(each)}`,
      );
    }
    found.set(name, each);
  }
  return found;
}

/** The tensors for a net's inputs. @throws UsageError */
export function readInputs(
  engine: Engine,
  files: readonly NamedFile[],
  inputs: readonly OnnxInput[],
  options: PixelOptions,
  preprocessing: Preprocessing = {},
): Record<string, Tensor> {
  const names = inputs.map(({ name }) => name);
  const given = byName("input", files, names);
  let images = 0;
  const feeds = inputs.map((input): [string, Tensor] => {
    const file = given.get(input.name)?.file;
    if (file === undefined) {
      throw new UsageError(`--input: expected a file for ${input.name}, got none`);
    }
    const bytes = read(file);
    if (!isImage(bytes)) return [input.name, readArray(file, bytes)];
    images++;
    return [input.name, imageFor(engine, file, bytes, input, options, preprocessing)];
  });
  const unused = (["size", "scale", "mean", "std"] as const).find((name) => options[name] !== undefined);
  if (images === 0 && unused !== undefined) {
    throw new UsageError(`--${unused}: expected an image among the inputs, got .npy files alone`);
  }
  return Object.fromEntries(feeds);
}

function readArray(file: string, bytes: Uint8Array): Tensor {
  if (!isNpy(bytes)) {
    throw new UsageError(`${file}: expected PNG, JPEG or .npy, got ${kindOf(bytes)}`);
  }
  try {
    return readNpy(bytes, file);
  } catch (error) {
    throw error instanceof FormatError ? new UsageError(error.message) : error;
  }
}

function imageFor(
  engine: Engine,
  file: string,
  bytes: Uint8Array,
  { dims }: OnnxInput,
  options: PixelOptions,
  preprocessing: Preprocessing,
): Tensor {
  const [, channels, height, width] = dims;
  if (dims.length !== 4 || typeof channels !== "number") {
    throw new UsageError(`${file}: expected a net for images [n, c, h, w], got [${listed(dims)}]`);
  }
  const declared =
    typeof height === "number" && typeof width === "number" ? ([height, width] as const) : undefined;
  const { size = declared, scale, mean, std } = { ...preprocessing, ...options };
  // A size of one's own is resized to, and not cut out of what the net would resize to.
  const shortSide = options.size ? undefined : preprocessing.shortSide;
  const how: Preprocessing = { ...preprocessing, shortSide, size, scale, mean, std };
  for (const name of ["mean", "std", "fillValue"] as const) {
    const list = how[name];
    if (list && list.length !== 1 && list.length !== channels) {
      throw new UsageError(
        `${name !== "fillValue" && options[name] ? `--${name}` : `preprocessing of the net: ${name}`}: expected 1 or ${channels} numbers, got ${list.length}`,
      );
    }
  }
  return imageTensor(engine, file, bytes, channels, how);
}
