/** Resizing by cubic kernels, with antialiasing, of parts and in coordinates that exporters seldom write. */
import type { Blend } from "../../layers/along.ts";
import { Unsupported } from "../../node.ts";
import type { Node } from "../../operator.ts";
import { range } from "../along.ts";
import { COORDINATES, LISTED, resizes, waysOf, type Axis, type Sampling } from "../resize.ts";

const ALL_COORDINATES: Readonly<Record<string, Sampling["at"]>> = {
  ...COORDINATES,
  half_pixel_symmetric: ({ from, to, scale }, i) =>
    (from / 2) * (1 - to / (from * scale)) + (i + 0.5) / scale - 0.5,
  tf_crop_and_resize({ from, scale, roi: [start, end] }, i) {
    const last = from - 1;
    if (from * scale === 1) return ((start + end) * last) / 2;
    return start * last + (i * (end - start) * last) / (from * scale - 1);
  },
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

/** How blends are made of the elements around. */
interface Blending {
  readonly kernel: Kernel;
  /** Whether elements that do not exist count for nothing; else they are the last ones. */
  readonly excludesOutside: boolean;
  /** Whether kernels become wider where there are fewer new elements than old ones. */
  readonly antialias: boolean;
}

/** The elements that a kernel takes in at `x`, with their weights. @throws Unsupported when there are none */
function blendAt(node: Node, blending: Blending, { from, scale }: Axis, x: number): Blend {
  const { kernel, excludesOutside, antialias } = blending;
  const { radius, weight } = kernel;
  const squeeze = antialias ? Math.min(1, scale) : 1;
  const first = Math.ceil(x - radius / squeeze);
  const count = Math.floor(x + radius / squeeze) - first + 1;
  node.builder.spend(LISTED * count);
  const taps = range(count, (i) => [first + i, weight((first + i - x) * squeeze)] as const).filter(
    ([place, share]) => share !== 0 && !(excludesOutside && (place < 0 || place >= from)),
  );
  const sum = excludesOutside || antialias ? taps.reduce((all, [, share]) => all + share, 0) : 1;
  if (sum === 0)
    throw new Unsupported("expected weights that do not add up to 0 where elements are left out");
  return taps.map(([place, share]) => [Math.min(from - 1, Math.max(0, place)), share / sum]);
}

function samplingOf(node: Node, mode: string): Sampling {
  const { attributes } = node;
  const { coordinates, nearest } = waysOf(node, mode);
  const cubicOf = cubic(attributes.float("cubic_coeff_a", -0.75));
  const fill = attributes.float("extrapolation_value", 0);
  const blending = {
    kernel: mode === "cubic" ? cubicOf : LINEAR,
    excludesOutside: attributes.int("exclude_outside", 0) === 1,
    antialias: attributes.int("antialias", 0) === 1,
  };
  return {
    at: ALL_COORDINATES[coordinates]!,
    nearest,
    blend: (axis, x) => blendAt(node, blending, axis, x),
    fill: coordinates === "tf_crop_and_resize" ? fill : undefined,
  };
}

export const RESIZES = resizes(samplingOf);
