import { listed } from "../../../options.ts";
import { isWhole, type AxisTable, type Blend } from "../layers/along.ts";
import { resizeLayer } from "../layers/resize.ts";
import { Rare, Unsupported } from "../node.ts";
import { axesOf, known, required, type Node, type Operator, type OperatorTable } from "../operator.ts";
import { isConstant, type Value } from "../values.ts";
import { along, range } from "./along.ts";
import { imagesOf, overPlane } from "./images.ts";

/** What an entry of a table takes, in elements: it is a list of places and weights. */
export const LISTED = 16;

/** How one axis is resized. */
export interface Axis {
  /** Its size, and the one that it gets. */
  readonly from: number;
  readonly to: number;
  /** By which factor; `from · scale` need not be whole. */
  readonly scale: number;
  /** The part that is taken, from 0 to 1. */
  readonly roi: readonly [number, number];
}

/** Where a new element lies among the old ones, whose centres are 0, 1, 2 … */
export const COORDINATES = {
  half_pixel: ({ scale }: Axis, i: number) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: ({ from, scale }: Axis, i: number) =>
    from * scale === 1 ? -0.5 : (i + 0.5) / scale - 0.5,
  align_corners: ({ from, scale }: Axis, i: number) =>
    from * scale === 1 ? 0 : (i * (from - 1)) / (from * scale - 1),
  asymmetric: ({ scale }: Axis, i: number) => i / scale,
};

const NEAREST = {
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** How the attributes say that all axes are sampled. */
export interface Sampling {
  at(axis: Axis, i: number): number;
  /** Undefined when elements are blends. */
  readonly nearest: ((x: number) => number) | undefined;
  /** The old elements that make the one at `x`, with their weights. */
  blend(axis: Axis, x: number): Blend;
  /** What lies outside of the tensor, where that is not continued. */
  readonly fill?: number | undefined;
}

/** What the attributes say about places between elements. Before opset 11 there was one way. */
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
    "tf_crop_and_resize",
  ]);
  const rounding = attributes.choice("nearest_mode", [
    old ? "floor" : "round_prefer_floor",
    ...(Object.keys(NEAREST) as (keyof typeof NEAREST)[]),
  ]);
  return { coordinates, nearest: mode === "nearest" ? NEAREST[rounding] : undefined };
}

/** The elements on both sides, by how near they are; the last ones go on beyond the tensor. */
function linear({ from }: Axis, x: number): Blend {
  const first = Math.floor(x);
  return [first, first + 1]
    .map((place) => [Math.min(from - 1, Math.max(0, place)), 1 - Math.abs(place - x)] as const)
    .filter(([, share]) => share !== 0);
}

/** The nearest element or a linear blend. @throws Rare of anything else */
function plainSampling(node: Node, mode: string): Sampling {
  const { attributes } = node;
  const { coordinates, nearest } = waysOf(node, mode);
  const at = COORDINATES[coordinates as keyof typeof COORDINATES];
  const special = ["exclude_outside", "antialias"].some((name) => attributes.int(name, 0) === 1);
  if (!at || special || mode === "cubic") throw new Rare();
  attributes.ignore("cubic_coeff_a", "extrapolation_value");
  return { at, nearest, blend: linear };
}

function tableOf(sampling: Sampling, axis: Axis): AxisTable {
  const { nearest, fill } = sampling;
  const { from, to } = axis;
  const points = range(to, (i) => sampling.at(axis, i));
  const outside = (x: number): boolean => fill !== undefined && (x < 0 || x > from - 1);
  const rest = { from, fill: fill ?? 0 };
  if (nearest) {
    const places = points.map((x) => (outside(x) ? -1 : Math.min(from - 1, Math.max(0, nearest(x)))));
    return { ...rest, places };
  }
  const blends = points.map((x) => sampling.blend(axis, x));
  const places = points.map((x, i) => (outside(x) ? -1 : blends[i]![0]![0]));
  const copies = blends.every((blend, i) => places[i]! < 0 || (blend.length === 1 && blend[0]![1] === 1));
  return copies ? { ...rest, places } : { ...rest, places, blends };
}

/** The axes that scales or sizes are for, each with what becomes of it. */
function resizedAxes(
  node: Node,
  shape: readonly number[],
  lists: { scales: number; sizes: number; roi: number },
): Map<number, Axis> {
  const { attributes } = node;
  const { length: rank } = shape;
  const axes = axesOf(attributes.ints("axes") ?? range(rank, (axis) => axis), rank);
  const given = (index: number, what: string): number[] | undefined => {
    const numbers = index < 0 ? undefined : known(node, index, what);
    return numbers && numbers.length > 0 ? numbers : undefined;
  };
  const roi = given(lists.roi, "roi");
  const sizes = given(lists.sizes, "sizes");
  const scales = sizes ? undefined : (attributes.floats("scales") ?? given(lists.scales, "scales"));
  const policy = attributes.choice("keep_aspect_ratio_policy", ["stretch", "not_larger", "not_smaller"]);
  const count = axes.length;
  if ((sizes ?? scales)?.length !== count || (roi && roi.length !== 2 * count)) {
    throw new Unsupported(`expected ${count} scales or sizes, got ${listed(sizes ?? scales ?? [])}`);
  }
  const ratios = axes.map((axis, i) => (sizes ? sizes[i]! / shape[axis]! : scales![i]!));
  const one = policy === "not_larger" ? Math.min(...ratios) : Math.max(...ratios);
  const keeps = sizes !== undefined && policy !== "stretch";
  return new Map(
    axes.map((axis, i) => {
      const from = shape[axis]!;
      const scale = keeps ? one : ratios[i]!;
      const to = keeps ? Math.round(one * from) : (sizes?.[i] ?? Math.floor(from * scale));
      return [axis, { from, to, scale, roi: [roi?.[i] ?? 0, roi?.[count + i] ?? 1] }];
    }),
  );
}

/** Images by the kernel for them; undefined for other tensors, and for what it does not do. */
function resizedImages(node: Node, x: Value, tables: ReadonlyMap<number, AxisTable>): Value | undefined {
  const { shape, type } = x;
  const whole = (axis: number): AxisTable => ({ from: shape[axis]!, places: range(shape[axis]!, (i) => i) });
  const others = [...tables.keys()].some((axis) => axis < 2);
  if (isConstant(x) || shape.length !== 4 || type !== "float32" || shape.includes(0) || others)
    return undefined;
  const [rows, columns] = [tables.get(2) ?? whole(2), tables.get(3) ?? whole(3)];
  const layer = resizeLayer(rows, columns);
  const images = imagesOf(node, x);
  return layer && overPlane(node, layer, images, images.c, [rows.places.length, columns.places.length]);
}

type SamplingOf = (node: Node, mode: string) => Sampling;

/** One table of sources and weights for each axis that changes, by which the axes are resized one after the other. */
function resize(
  samplingOf: SamplingOf,
  lists: (version: number) => { scales: number; sizes: number; roi: number },
): Operator {
  return {
    inputs: [1, 4],
    lower(node) {
      const x = required(node, 0);
      const { attributes, builder } = node;
      const sampling = samplingOf(node, attributes.choice("mode", ["nearest", "linear", "cubic"]));
      const tables = new Map<number, AxisTable>();
      for (const [axis, each] of resizedAxes(node, x.shape, lists(attributes.version))) {
        if (!(each.to > 0)) throw new Unsupported(`expected sizes > 0, got ${each.to}`);
        builder.spend(LISTED * each.to);
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

/** The operators by how they sample. Until opset 9 it was called Upsample. */
export function resizes(samplingOf: SamplingOf): OperatorTable {
  return {
    Resize: resize(samplingOf, (version) =>
      version < 11 ? { scales: 1, sizes: -1, roi: -1 } : { roi: 1, scales: 2, sizes: 3 },
    ),
    Upsample: resize(samplingOf, () => ({ scales: 1, sizes: -1, roi: -1 })),
  };
}

export const RESIZES = resizes(plainSampling);
