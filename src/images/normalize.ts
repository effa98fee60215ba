import { MemoryError, OptionError, ShapeError } from "../errors.ts";
import { choiceOf, finiteNumber, listOf, readOptions, show } from "../options.ts";
import { checkEngine, type KernelEngine } from "../runtime/engine.ts";
import { shapeText, type Tensor } from "../tensor.ts";
import { ByteRegion } from "./byteRegion.ts";
import { readImages, type Images } from "./image.ts";

export const LAYOUTS = ["NHWC", "NCHW"] as const;

export type Layout = (typeof LAYOUTS)[number];

export interface NormalizeOptions {
  /** The factor of each byte. Default: 1/255. */
  scale?: number | undefined;
  /** Is subtracted from the scaled byte: a number, or one for each channel. Default: 0. */
  mean?: number | readonly number[] | undefined;
  /** Divides the difference: a number, or one for each channel. Default: 1. */
  std?: number | readonly number[] | undefined;
  /** `"NCHW"` for most nets from ONNX files. Default: `"NHWC"`. */
  layout?: Layout | undefined;
}

/** What torchvision's classifiers of ImageNet expect, for RGB. */
export const imageNet: {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
} = {
  scale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Kernels count in 32 bits. */
const MOST_ELEMENTS = 2 ** 29 - 1;

const isFinite = Number.isFinite as (value: unknown) => value is number;

function numbers(where: string, value: unknown): readonly number[] {
  const list = Array.isArray(value) ? listOf(value, isFinite) : isFinite(value) ? [value] : undefined;
  if (list && list.length > 0) return list;
  throw new OptionError(`${where}: expected a finite number or one for each channel, got ${show(value)}`);
}

function divisors(where: string, value: unknown): readonly number[] {
  const list = numbers(where, value);
  if (list.every((each) => each > 0)) return list;
  throw new OptionError(`${where}: expected numbers > 0, got ${show(value)}`);
}

/** The images of a call, of one size. @throws ShapeError */
function readAll(given: Tensor<Uint8Array> | readonly Tensor<Uint8Array>[]): Images[] {
  if (!Array.isArray(given)) return [readImages("normalize: images", given as Tensor<Uint8Array>)];
  const all = given.map((each: Tensor<Uint8Array>, i) => readImages(`normalize: images[${i}]`, each));
  const [first] = all;
  if (!first) throw new ShapeError("normalize: images: expected at least one, got an empty list");
  const textOf = ({ h, w, c }: Images): string => shapeText([h, w, c]);
  const other = all.findIndex((each) => textOf(each) !== textOf(first));
  if (other < 0) return all;
  throw new ShapeError(
    `normalize: images[${other}]: expected ${textOf(first)}, as the first is, got ${textOf(all[other]!)}: resize them before`,
  );
}

/** What each byte of each channel becomes: computed in float64, and rounded once. */
function tableFor(
  c: number,
  scale: number,
  lists: Readonly<Record<"mean" | "std", readonly number[]>>,
): Float32Array {
  for (const [name, { length }] of Object.entries(lists)) {
    if (length === 1 || length === c) continue;
    throw new OptionError(
      `normalize: ${name}: expected one number, or one for each of ${c} channels; got ${length}`,
    );
  }
  const of = (list: readonly number[], channel: number): number => list[list.length === 1 ? 0 : channel]!;
  return Float32Array.from({ length: 256 * c }, (_, i) => {
    const channel = i >> 8;
    return ((i & 255) * scale - of(lists.mean, channel)) / of(lists.std, channel);
  });
}

/**
 * The batch `[n, h, w, c]`, or `[n, c, h, w]`, for `predict`: `(byte · scale − mean) / std` of an image, of several in one
 * tensor, or of a list of such. Error: half a unit in the last place.
 * @throws OptionError; ShapeError where the images differ in size; MemoryError
 */
export function normalize(
  engine: KernelEngine,
  images: Tensor<Uint8Array> | readonly Tensor<Uint8Array>[],
  options: NormalizeOptions = {},
): Tensor<Float32Array<ArrayBuffer>> {
  const { heap, kernels } = checkEngine("normalize", engine);
  const { scale, layout, ...lists } = readOptions(
    "normalize",
    options,
    {
      scale: [finiteNumber, 1 / 255],
      mean: [numbers, 0],
      std: [divisors, 1],
      layout: [choiceOf(LAYOUTS), "NHWC"],
    },
    [],
  );
  const all = readAll(images);
  const { h, w, c } = all[0]!;
  const table = tableFor(c, scale, lists);
  const n = all.reduce((sum, each) => sum + each.n, 0);
  const count = n * h * w * c;
  if (count > MOST_ELEMENTS) {
    throw new MemoryError(`normalize: expected at most ${MOST_ELEMENTS} numbers, got ${count}`);
  }
  const region = new ByteRegion(heap, "normalize");
  try {
    const [lookUp, x, y] = [region.put(table), region.bytes(count), region.allocate(count)];
    let at = x;
    for (const { data, n: own } of all) {
      const size = own * h * w * c;
      region.write(data, size, at);
      at += size;
    }
    kernels.lookUpBytes(lookUp, layout === "NCHW", n, h * w, c, x, y);
    const shape = layout === "NCHW" ? [n, c, h, w] : [n, h, w, c];
    return { shape, data: heap.floats.slice(y >>> 2, (y >>> 2) + count) };
  } finally {
    region.release();
  }
}
