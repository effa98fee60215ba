/** The command line feeds a net with arrays, images and shapes, which are read and checked here. */
import { readFileSync } from "node:fs";
import { FormatError } from "../../errors.ts";
import { isNpy, readNpy } from "../../formats/npy.ts";
import type { Engine, InputTensor, Tensor } from "../../index.ts";
import type { OnnxInput } from "../../onnx.ts";
import type { OnnxLayout } from "../../onnx/export/index.ts";
import type { Preprocessing } from "../../metadata.ts";
import { listed } from "../../options.ts";
import type { Shape } from "../../tensor.ts";
import { imageTensor } from "./image.ts";
import { isImage, kindOf } from "../../images/files/read.ts";
import { causeOf, FileError, UsageError } from "../usage.ts";

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

/** The bytes of a file. @throws FileError */
export function read(file: string): Uint8Array {
  if (file === "") throw new FileError("expected the name of a file, got an empty one");
  try {
    return readFileSync(file);
  } catch (error) {
    throw new FileError(`${file}: cannot be read (${causeOf(error)})`);
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

/** What an image becomes is determined by the net, and by options, which come first. */
export interface ImageInputs {
  readonly options: PixelOptions;
  readonly preprocessing?: Preprocessing | undefined;
  /** The order of axes that is usual in the net's file. */
  readonly layout?: OnnxLayout;
}

/** A net's inputs from files by name, and how many of them are images. @throws FileError, UsageError */
export function readFiles(
  engine: Engine,
  given: ReadonlyMap<string, NamedFile>,
  inputs: readonly OnnxInput[],
  images: ImageInputs,
): { feeds: Record<string, InputTensor>; images: number } {
  let count = 0;
  const feeds = inputs.map((input): [string, InputTensor] => {
    const file = given.get(input.name)?.file;
    if (file === undefined) {
      throw new UsageError(`--input: expected a file for ${input.name}, got none`);
    }
    const bytes = read(file);
    const isOfImage = isImage(bytes);
    if (isOfImage) count++;
    const numbers = isOfImage ? imageFor(engine, file, bytes, input, images) : readArray(file, bytes);
    return [input.name, input.type === "uint8" ? bytesOf(file, numbers) : numbers];
  });
  return { feeds: Object.fromEntries(feeds), images: count };
}

/** Refuses options for images where there are none. @throws UsageError */
export function checkPixelOptions(options: PixelOptions, images: number): void {
  const unused = (["size", "scale", "mean", "std"] as const).find((name) => options[name] !== undefined);
  if (images === 0 && unused !== undefined) {
    throw new UsageError(`--${unused}: expected an image among the inputs, got .npy files alone`);
  }
}

function readArray(file: string, bytes: Uint8Array): Tensor {
  if (!isNpy(bytes)) {
    throw new FileError(`${file}: expected PNG, JPEG or .npy, got ${kindOf(bytes)}`);
  }
  try {
    return readNpy(bytes, file);
  } catch (error) {
    throw error instanceof FormatError ? new FileError(error.message) : error;
  }
}

/** Numbers as bytes, for inputs of uint8. @throws FileError for those that are none */
function bytesOf(file: string, { shape, data }: Tensor): InputTensor {
  const bytes = Uint8Array.from(data);
  const wrong = data.findIndex((value, i) => value !== bytes[i]);
  if (wrong < 0) return { shape, data: bytes };
  throw new FileError(
    `${file}: expected integers from 0 to 255, of which the net takes bytes, got ${data[wrong]} at ${wrong}`,
  );
}

/** @throws UsageError for what would make other numbers of pixels, which a net of uint8 takes as they are */
function checkBytes(options: PixelOptions, preprocessing: Preprocessing): void {
  for (const name of ["scale", "mean", "std"] as const) {
    if (options[name] === undefined && preprocessing[name] === undefined) continue;
    const place = options[name] === undefined ? `preprocessing of the net: ${name}` : `--${name}`;
    throw new UsageError(`${place}: expected none for a net that takes the bytes of images (uint8)`);
  }
}

/** The axes of an input for images. */
interface ImageAxes {
  readonly layout: OnnxLayout;
  readonly channels: number | string;
  readonly height: number | string;
  readonly width: number | string;
}

/** The axes of an input for images: as they are usual, unless only the other order has channels of an image. */
function axesOf(dims: OnnxInput["dims"], usual: OnnxLayout): ImageAxes | undefined {
  if (dims.length !== 4) return undefined;
  const [, a, b, c] = dims as [unknown, number | string, number | string, number | string];
  const first: ImageAxes = { layout: "NCHW", channels: a, height: b, width: c };
  const last: ImageAxes = { layout: "NHWC", channels: c, height: a, width: b };
  const [own, other] = usual === "NCHW" ? [first, last] : [last, first];
  const hasChannels = ({ channels }: ImageAxes): boolean => channels === 1 || channels === 3;
  return hasChannels(other) && !hasChannels(own) ? other : own;
}

/** What an image has to become for an input. */
export interface ImageInput {
  readonly channels: number;
  readonly layout: OnnxLayout;
  /** The size that the input declares, if it does. */
  readonly declared: readonly [height: number, width: number] | undefined;
  /** With the size that the image gets, where one is known. */
  readonly preprocessing: Preprocessing;
}

/** @throws UsageError naming the file for an input that takes no images, and options that do not fit it */
export function imageInput(
  file: string,
  { dims, type }: OnnxInput,
  { options, preprocessing = {}, layout: usual = "NCHW" }: ImageInputs,
): ImageInput {
  const axes = axesOf(dims, usual);
  if (!axes || typeof axes.channels !== "number") {
    const order = usual === "NCHW" ? "[n, c, h, w]" : "[n, h, w, c]";
    throw new UsageError(`${file}: expected a net for images ${order}, got [${listed(dims)}]`);
  }
  const { channels, height, width, layout } = axes;
  const declared =
    typeof height === "number" && typeof width === "number" ? ([height, width] as const) : undefined;
  if (type === "uint8") checkBytes(options, preprocessing);
  const {
    size = declared,
    scale,
    mean,
    std,
  } = {
    ...preprocessing,
    ...options,
    ...(type === "uint8" && { scale: 1 }),
  };
  // A size of one's own is resized to, and not cut out of what the net would resize to.
  const shortSide = options.size ? undefined : preprocessing.shortSide;
  const how: Preprocessing = { ...preprocessing, shortSide, size, scale, mean, std };
  for (const name of ["mean", "std", "fillValue"] as const) {
    const list = how[name];
    if (list && list.length !== 1 && list.length !== channels) {
      throw new UsageError(
        `${name !== "fillValue" && options[name] ? `--${name}` : `preprocessing of the net: ${name}`}: expected ${channels === 1 ? "1 number" : `1 or ${channels} numbers`}, got ${list.length}`,
      );
    }
  }
  return { channels, layout, declared, preprocessing: how };
}

function imageFor(
  engine: Engine,
  file: string,
  bytes: Uint8Array,
  input: OnnxInput,
  images: ImageInputs,
): Tensor {
  const { channels, layout, preprocessing } = imageInput(file, input, images);
  return imageTensor(engine, file, bytes, channels, { ...preprocessing, layout });
}
