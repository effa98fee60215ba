import { listed } from "../../../../options.ts";
import { isWhole, type AxisTable, type Blend } from "../../../../layers/take.ts";
import * as layers from "../../../../layers/index.ts";
import { isResize, type ResizeTable } from "../../../../layers/resize.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import { axesOf, known, required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import type { ElementType } from "../../../file/constant.ts";
import { IMAGES } from "../../images.ts";
import { isConstant, type Value } from "../../values.ts";
import { along, perElement, range } from "../axisTable.ts";
import { imagesOf, overPlane } from "../window/images.ts";

/** The memory of a blend in a table, counted in elements, because it is a list of indices and weights. */
export const LISTED = 16;

/** The resizing of one axis. */
export interface Axis {
  /** The old size and the new one. */
  readonly from: number;
  readonly to: number;
  /** The factor, a float32. */
  readonly scale: number;
  /** The new size before it is rounded down, if the file means that, or `to`. */
  readonly length: number;
  /** The start and end of the part that is resized, as fractions from 0 to 1. */
  readonly roi: readonly [number, number];
}

const fround = Math.fround;

const halfPixel = ({ scale }: Axis, i: number): number => fround(fround(fround(i + 0.5) / scale) - 0.5);

/**
 * By mode: the position of a new element among the old ones, whose centres are 0, 1, 2 …. Each operation is rounded to
 * float32, as in PyTorch and onnxruntime, because the nearest element often depends on it.
 */
export const COORDINATES = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (axis: Axis, i: number) => (axis.to > 1 ? halfPixel(axis, i) : 0),
  align_corners: ({ from, length }: Axis, i: number) =>
    length === 1 ? 0 : fround(fround(i * (from - 1)) / fround(length - 1)),
  asymmetric: ({ scale }: Axis, i: number) => fround(i / scale),
};

/**
 * True when a position is halfway between two elements, within 10⁻⁶ as in onnxruntime, because rounded factors shift it.
 */
const halfway = (x: number): boolean => Math.abs(x - Math.floor(x) - 0.5) <= 1e-6;

const NEAREST = {
  round_prefer_floor: (x: number) => (halfway(x) ? Math.floor(x) : Math.round(x)),
  round_prefer_ceil: (x: number) => (halfway(x) ? Math.ceil(x) : Math.round(x)),
  floor: Math.floor,
  ceil: Math.ceil,
};

type Nearest = (x: number, scale: number) => number;

/** The nearest element before opset 11: the next one when the size becomes smaller, otherwise the one before. */
const oldNearest: Nearest = (x, scale) => (scale < 1 ? Math.ceil(x) : Math.floor(x));

/** The way of sampling that the attributes describe, for all axes. */
export interface Sampling {
  at(axis: Axis, i: number): number;
  /** Returns the element nearest to a position; undefined when elements are blends. */
  readonly nearest: Nearest | undefined;
  /** The old elements that are blended at the position `x`, with their weights. */
  blend(axis: Axis, x: number): Blend;
  /** The value outside of the tensor; undefined when its last elements are continued there. */
  readonly fill?: number | undefined;
}

/** Reads the coordinates and the rounding from the attributes. Before opset 11 there was only one way. */
export function waysOf(
  { attributes }: Node,
  mode: string,
): Pick<Sampling, "nearest"> & { coordinates: string } {
  const old = attributes.version < 11;
  const coordinates = attributes.choice("coordinate_transformation_mode", [
    old ? "asymmetric" : "half_pixel",
    "half_pixel",
    "asymmetric",
    "align_corners",
    "pytorch_half_pixel",
    "half_pixel_symmetric",
    "tf_half_pixel_for_nn",
    "tf_crop_and_resize",
  ]);
  const names = Object.keys(NEAREST) as [keyof typeof NEAREST];
  const rounding = NEAREST[attributes.choice("nearest_mode", names)];
  const nearest = old && !attributes.has("nearest_mode") ? oldNearest : rounding;
  return { coordinates, nearest: mode === "nearest" ? nearest : undefined };
}

/** The elements on both sides, weighted by their distance; the last element beyond the ends. */
export function linear({ from }: Axis, x: number): Blend {
  const inside = Math.min(from - 1, Math.max(0, x));
  const first = Math.floor(inside);
  const share = fround(inside - first);
  if (share === 0) return [[first, 1]];
  return [
    [first, fround(first + 1 - inside)],
    [first + 1, share],
  ];
}

/** The nearest element or a linear blend. @throws OtherForm for other ways of sampling */
function plainSampling(node: Node, mode: string): Sampling {
  const { attributes } = node;
  const { coordinates, nearest } = waysOf(node, mode);
  const at = COORDINATES[coordinates as keyof typeof COORDINATES];
  const special = ["exclude_outside", "antialias"].some((name) => attributes.flag(name, false));
  if (!at || special || mode === "cubic") throw new OtherForm();
  attributes.ignore("cubic_coeff_a", "extrapolation_value");
  return { at, nearest, blend: linear };
}

function tableOf(sampling: Sampling, axis: Axis): AxisTable {
  const { nearest, fill } = sampling;
  const { from, to, scale } = axis;
  // An axis that keeps its size stays as it is, unless a part of it is taken: rounding moves nothing then.
  const same = scale === 1 && fill === undefined;
  const points = range(to, (i) => (same ? i : sampling.at(axis, i)));
  const outside = (x: number): boolean => fill !== undefined && (x < 0 || x > from - 1);
  const rest = { from, fill: fill ?? 0 };
  if (nearest) {
    const indices = points.map((x) => (outside(x) ? -1 : Math.min(from - 1, Math.max(0, nearest(x, scale)))));
    return { ...rest, indices };
  }
  const blends = points.map((x) => sampling.blend(axis, x));
  const indices = points.map((x, i) => (outside(x) ? -1 : blends[i]![0]![0]));
  const copies = blends.every((blend, i) => indices[i]! < 0 || (blend.length === 1 && blend[0]![1] === 1));
  return copies ? { ...rest, indices } : { ...rest, indices, blends };
}

/** The indices of the inputs with the sizes; -1 for those that an operator does not have. */
interface Lists {
  readonly scales: number;
  readonly sizes: number;
  readonly roi: number;
}

/** The numbers of an input; undefined when it is left out or empty. @throws Unsupported unless they are of the type */
function numbersOf(node: Node, index: number, what: string, type: ElementType): number[] | undefined {
  const numbers = index < 0 ? undefined : known(node, index, what, [type], true);
  return numbers && numbers.length > 0 ? numbers : undefined;
}

/** The axes that scales or sizes are for, with the resizing of each. */
function resizedAxes(
  node: Node,
  shape: readonly number[],
  lists: Lists,
  { nearest, fill }: Sampling,
): Map<number, Axis> {
  const { attributes } = node;
  const crops = fill !== undefined;
  const { length: rank } = shape;
  const axes = axesOf(attributes.ints("axes") ?? range(rank, (axis) => axis), rank);
  const roi = crops ? numbersOf(node, lists.roi, "roi", "float32") : undefined;
  const sizes = numbersOf(node, lists.sizes, "sizes", "int64");
  const scales = attributes.floats("scales") ?? numbersOf(node, lists.scales, "scales", "float32");
  const policy = attributes.choice("keep_aspect_ratio_policy", ["stretch", "not_larger", "not_smaller"]);
  const count = axes.length;
  if (sizes && scales) throw new Unsupported("expected scales or sizes, got both");
  if ((sizes ?? scales)?.length !== count) {
    throw new Unsupported(`expected ${count} scales or sizes, got ${listed(sizes ?? scales ?? [])}`);
  }
  if (crops && (roi?.length !== 2 * count || !roi.every(Number.isFinite))) {
    throw new Unsupported(`roi: expected ${2 * count} finite numbers, got ${roi ? listed(roi) : "none"}`);
  }
  const ratios = axes.map((axis, i) => (sizes ? fround(sizes[i]! / shape[axis]!) : scales![i]!));
  const wrong = ratios.find((ratio) => !(ratio > 0 && ratio < Infinity));
  if (wrong !== undefined) throw new Unsupported(`expected factors > 0, got ${wrong}`);
  const less = node.type === "Upsample" && ratios.find((ratio) => ratio < 1);
  if (less) throw new Unsupported(`expected factors ≥ 1, got ${less}`);
  const one = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  const keeps = sizes !== undefined && policy !== "stretch";
  return new Map(
    axes.map((axis, i) => {
      const from = shape[axis]!;
      const scale = keeps ? one : ratios[i]!;
      const [start, end] = [roi?.[i] ?? 0, roi?.[count + i] ?? 1];
      const part = crops ? fround(from * fround(end - start)) : from;
      const exact = sizes ? sizes[i]! : fround(part * scale);
      const to = keeps ? Math.floor(fround(scale * from) + 0.5) : Math.floor(exact);
      // ONNX's own tests of opset 19 blend between corners by the size before it was rounded down, unlike its text.
      const length = scales && !nearest && attributes.version >= 19 ? exact : to;
      return [axis, { from, to, scale, length, roi: [start, end] }];
    }),
  );
}

const sourcesOf = ({ indices, blends }: AxisTable): ResizeTable => ({ indices, ...(blends && { blends }) });

/** Resizes images by the kernel for them; undefined for other tensors, and for ways of resizing that it does not have. */
function resizedImages(node: Node, x: Value, tables: ReadonlyMap<number, AxisTable>): Value | undefined {
  const { shape, type } = x;
  const whole = (axis: number): AxisTable => ({
    from: shape[axis]!,
    indices: perElement(node, shape[axis]!, (i) => i),
  });
  const others = [...tables.keys()].some((axis) => axis < 2);
  if (isConstant(x) || shape.length !== 4 || type !== "float32" || shape.includes(0) || others)
    return undefined;
  const [rows, columns] = [tables.get(2) ?? whole(2), tables.get(3) ?? whole(3)];
  if (!isResize(rows) || !isResize(columns)) return undefined;
  const layer = layers.resize({ rows: sourcesOf(rows), columns: sourcesOf(columns) });
  const images = imagesOf(node, x);
  return overPlane(node, layer, images, images.c, [rows.indices.length, columns.indices.length]);
}

type SamplingOf = (node: Node, mode: string) => Sampling;

/** One table of sources and weights for each axis that changes, by which the axes are resized one after the other. */
function resize(samplingOf: SamplingOf, lists: (version: number) => Lists): Operator {
  return {
    inputs: [1, 4],
    lower(node) {
      const x = required(node, 0);
      const { attributes, builder } = node;
      const sampling = samplingOf(node, attributes.choice("mode", ["nearest", "linear", "cubic"]));
      const tables = new Map<number, AxisTable>();
      const crops = sampling.fill !== undefined;
      const axes = resizedAxes(node, x.shape, lists(attributes.version), sampling);
      // When all sizes stay, the result is the input, even if a factor is not exactly 1.
      if (!crops && [...axes.values()].every(({ from, to }) => from === to)) return [x];
      for (const [axis, each] of axes) {
        const { from, to, scale, roi } = each;
        if (from === IMAGES && to === from && scale === 1 && roi[0] === 0 && roi[1] === 1) continue;
        if (!(each.to > 0)) throw new Unsupported(`expected sizes > 0, got ${each.to}`);
        builder.spend((sampling.nearest ? 3 : LISTED) * each.to);
        const table = tableOf(sampling, each);
        if (!isWhole(table)) tables.set(axis, table);
      }
      const images = resizedImages(node, x, tables);
      if (images) return [images];
      let y = x;
      for (const [axis, table] of tables) y = along(node, y, axis, table);
      return [y];
    },
  };
}

/** The operators, with a function that reads the way of sampling. Until opset 9 Resize was called Upsample. */
export function resizes(samplingOf: SamplingOf): OperatorTable {
  return {
    Resize: resize(samplingOf, (version) =>
      version < 11 ? { scales: 1, sizes: -1, roi: -1 } : { roi: 1, scales: 2, sizes: 3 },
    ),
    Upsample: resize(samplingOf, () => ({ scales: 1, sizes: -1, roi: -1 })),
  };
}

export function commonResizes(): OperatorTable {
  return resizes(plainSampling);
}
