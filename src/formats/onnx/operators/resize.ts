import { isWhole, type AxisTable, type Blend } from "../layers/along.ts";
import { resizeLayer } from "../layers/resize.ts";
import { Unsupported } from "../node.ts";
import { axisOf, known, required, type Node, type Operator } from "../operator.ts";
import { isConstant, type Value } from "../values.ts";
import { along, range } from "./along.ts";
import { imagesOf, overPlane } from "./images.ts";

/** How one axis is resized. */
interface Axis {
  /** Its size, and the one that it gets. */
  readonly from: number;
  readonly to: number;
  /** By which factor; `from · scale` need not be whole. */
  readonly scale: number;
  /** The part that is taken, from 0 to 1. */
  readonly roi: readonly [number, number];
}

/** Where a new element lies among the old ones, whose centres are 0, 1, 2 … */
const COORDINATES = {
  half_pixel: ({ scale }: Axis, i: number) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: ({ from, scale }: Axis, i: number) =>
    from * scale === 1 ? -0.5 : (i + 0.5) / scale - 0.5,
  half_pixel_symmetric: ({ from, to, scale }: Axis, i: number) =>
    (from / 2) * (1 - to / (from * scale)) + (i + 0.5) / scale - 0.5,
  align_corners: ({ from, scale }: Axis, i: number) =>
    from * scale === 1 ? 0 : (i * (from - 1)) / (from * scale - 1),
  asymmetric: ({ scale }: Axis, i: number) => i / scale,
  tf_crop_and_resize({ from, scale, roi: [start, end] }: Axis, i: number) {
    const last = from - 1;
    if (from * scale === 1) return ((start + end) * last) / 2;
    return start * last + (i * (end - start) * last) / (from * scale - 1);
  },
};

const NEAREST = {
  round_prefer_floor: (x: number) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x: number) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** A weight by distance, 0 from `radius` on. */
interface Kernel {
  readonly radius: number;
  weight(distance: number): number;
}

const LINEAR: Kernel = { radius: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** Keys' cubic convolution (1981). */
function cubic(a: number): Kernel {
  return {
    radius: 2,
    weight(distance) {
      const x = Math.abs(distance);
      if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  };
}

/** What the attributes say about all axes. */
interface Sampling {
  at(axis: Axis, i: number): number;
  /** Undefined when the nearest element is taken. */
  readonly kernel: Kernel | undefined;
  nearest(x: number): number;
  /** Whether elements that do not exist count for nothing; else they are the last ones. */
  readonly excludesOutside: boolean;
  /** Whether kernels become wider where there are fewer new elements than old ones. */
  readonly antialias: boolean;
  /** What lies outside of the tensor, where that is not continued. */
  readonly fill: number | undefined;
}

function samplingOf({ attributes }: Node, mode: string): Sampling {
  const { version } = attributes;
  // Before opset 11 there was one way.
  const old = version < 11;
  const coordinates = attributes.choice("coordinate_transformation_mode", [
    old ? "asymmetric" : "half_pixel",
    ...(Object.keys(COORDINATES) as (keyof typeof COORDINATES)[]),
  ]);
  const rounding = attributes.choice("nearest_mode", [
    old ? "floor" : "round_prefer_floor",
    ...(Object.keys(NEAREST) as (keyof typeof NEAREST)[]),
  ]);
  const cubicOf = cubic(attributes.float("cubic_coeff_a", -0.75));
  const fill = attributes.float("extrapolation_value", 0);
  return {
    at: COORDINATES[coordinates],
    kernel: mode === "nearest" ? undefined : mode === "cubic" ? cubicOf : LINEAR,
    nearest: NEAREST[rounding],
    excludesOutside: attributes.int("exclude_outside", 0) === 1,
    antialias: attributes.int("antialias", 0) === 1,
    fill: coordinates === "tf_crop_and_resize" ? fill : undefined,
  };
}

/** The elements that a kernel takes in at `x`, with their weights. */
function blendAt({ kernel, excludesOutside, antialias }: Sampling, { from, scale }: Axis, x: number): Blend {
  const { radius, weight } = kernel!;
  const squeeze = antialias ? Math.min(1, scale) : 1;
  const first = Math.ceil(x - radius / squeeze);
  const count = Math.floor(x + radius / squeeze) - first + 1;
  const taps = range(count, (i) => [first + i, weight((first + i - x) * squeeze)] as const).filter(
    ([place, share]) => share !== 0 && !(excludesOutside && (place < 0 || place >= from)),
  );
  const sum = excludesOutside || antialias ? taps.reduce((all, [, share]) => all + share, 0) : 1;
  return taps.map(([place, share]) => [Math.min(from - 1, Math.max(0, place)), share / sum]);
}

function tableOf(sampling: Sampling, axis: Axis): AxisTable {
  const { kernel, nearest, fill } = sampling;
  const { from, to } = axis;
  const points = range(to, (i) => sampling.at(axis, i));
  const outside = (x: number): boolean => fill !== undefined && (x < 0 || x > from - 1);
  const rest = { from, fill: fill ?? 0 };
  if (!kernel) {
    const places = points.map((x) => (outside(x) ? -1 : Math.min(from - 1, Math.max(0, nearest(x)))));
    return { ...rest, places };
  }
  const blends = points.map((x) => blendAt(sampling, axis, x));
  const places = points.map((x, i) => (outside(x) ? -1 : blends[i]![0]![0]));
  const copies = blends.every((blend, i) => places[i]! < 0 || (blend.length === 1 && blend[0]![1] === 1));
  return copies ? { ...rest, places } : { ...rest, places, blends };
}

/** The axes that scales or sizes are for, each with what becomes of it. */
function axesOf(
  node: Node,
  shape: readonly number[],
  lists: { scales: number; sizes: number; roi: number },
): Map<number, Axis> {
  const { attributes } = node;
  const axes =
    attributes.ints("axes")?.map((axis) => axisOf(axis, shape.length)) ?? range(shape.length, (axis) => axis);
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
    throw new Unsupported(`expected ${count} scales or sizes, got ${(sizes ?? scales ?? []).join(", ")}`);
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

/**
 * One table of sources and weights for each axis that changes, by which the axes are resized one after the other. Before
 * opset 11 there was one way to do it; until 9 it was called Upsample.
 */
function resize(lists: (version: number) => { scales: number; sizes: number; roi: number }): Operator {
  return {
    inputs: [1, 4],
    lower(node) {
      const x = required(node, 0);
      const { attributes } = node;
      const sampling = samplingOf(node, attributes.choice("mode", ["nearest", "linear", "cubic"]));
      const tables = new Map<number, AxisTable>();
      for (const [axis, each] of axesOf(node, x.shape, lists(attributes.version))) {
        if (!(each.to > 0)) throw new Unsupported(`expected sizes > 0, got ${each.to}`);
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

export const RESIZES: Readonly<Record<string, Operator>> = {
  Resize: resize((version) =>
    version < 11 ? { scales: 1, sizes: -1, roi: -1 } : { roi: 1, scales: 2, sizes: 3 },
  ),
  Upsample: resize(() => ({ scales: 1, sizes: -1, roi: -1 })),
};
