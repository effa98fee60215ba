/** Resizing by cubic kernels, with antialiasing, of parts, and in coordinates that exporters rarely write. */
import type { Blend } from "../../../../layers/take.ts";
import { Unsupported } from "../../node.ts";
import type { Node, OperatorTable } from "../../operator.ts";
import { range } from "../axisTable.ts";
import { COORDINATES, linear, LISTED, resizes, waysOf, type Axis, type Sampling } from "./common.ts";

const fround = Math.fround;

const ALL_COORDINATES: Readonly<Record<string, Sampling["at"]>> = {
  ...COORDINATES,
  // The centre stays in the middle, although the new size was rounded to a whole number of elements.
  half_pixel_symmetric({ from, to, scale }, i) {
    const share = fround(to / fround(scale * from));
    const offset = fround((from / 2) * fround(1 - share));
    return fround(offset + (i + 0.5) / scale - 0.5);
  },
  tf_half_pixel_for_nn: ({ scale }, i) => fround(fround(i + 0.5) / scale),
  tf_crop_and_resize({ from, to, roi: [start, end] }, i) {
    const last = from - 1;
    if (to === 1) return fround(0.5 * fround(start + end) * last);
    const behind = fround(fround(fround(i * fround(end - start)) * last) / (to - 1));
    return fround(fround(start * last) + behind);
  },
};

/** Keys' cubic convolution (1981) with coefficient `a`, in float32: `inner` up to distance 1, `outer` from there to 2. */
const inner = (a: number, x: number): number =>
  fround(fround(fround(fround(fround(fround(a + 2) * x) - fround(a + 3)) * x) * x) + 1);

const outer = (a: number, x: number): number => {
  const square = fround(fround(fround(a * x) - fround(5 * a)) * x);
  return fround(fround(fround(square + fround(8 * a)) * x) - fround(4 * a));
};

/** A function from distance to weight, which is 0 from `radius` on. */
interface Kernel {
  readonly radius: number;
  weight(distance: number): number;
}

const LINEAR: Kernel = { radius: 1, weight: (x) => fround(1 - x) };

const cubicOf = (a: number): Kernel => ({ radius: 2, weight: (x) => (x <= 1 ? inner : outer)(a, x) });

/** The way in which blends are made of the elements around. */
interface Blending {
  readonly kernel: Kernel;
  /** True when taps outside of the tensor are left out; otherwise they read its last elements. */
  readonly excludesOutside: boolean;
  /** True when kernels become wider if the size becomes smaller. */
  readonly antialias: boolean;
}

/** The elements within a kernel around `x`, with their weights. @throws Unsupported when the weights add up to 0 */
function blendAt(node: Node, blending: Blending, { from, scale }: Axis, x: number): Blend {
  const { kernel, excludesOutside, antialias } = blending;
  const wide = antialias && scale < 1;
  const squeeze = wide ? scale : 1;
  const reach = kernel.radius / squeeze;
  const first = Math.ceil(x - reach);
  const count = Math.floor(x + reach) - first + 1;
  node.builder.spend(LISTED * count);
  const weightAt = (index: number): number => {
    const distance = fround(Math.abs(fround(index - x)) * squeeze);
    return distance < kernel.radius ? kernel.weight(distance) : 0;
  };
  const taps = range(count, (i) => [first + i, weightAt(first + i)] as const).filter(
    ([index, share]) => share !== 0 && !(excludesOutside && (index < 0 || index >= from)),
  );
  const total = excludesOutside || wide ? taps.reduce((all, [, share]) => fround(all + share), 0) : 1;
  if (total === 0)
    throw new Unsupported("expected weights that do not add up to 0 where elements are left out");
  return taps.map(([index, share]) => [Math.min(from - 1, Math.max(0, index)), fround(share / total)]);
}

/** Any way of sampling. @throws Unsupported when attributes of blends are combined with the nearest element */
function samplingOf(node: Node, mode: string): Sampling {
  const { attributes } = node;
  const { coordinates, nearest } = waysOf(node, mode);
  const a = attributes.float("cubic_coeff_a", -0.75);
  const fill = attributes.anyFloat("extrapolation_value", 0);
  const excludesOutside = attributes.flag("exclude_outside", false);
  const antialias = attributes.flag("antialias", false);
  if (nearest && (excludesOutside || antialias)) {
    throw new Unsupported("mode: expected linear or cubic for exclude_outside and antialias, got nearest");
  }
  const kernel = mode === "cubic" ? cubicOf(a) : LINEAR;
  const blending = { kernel, excludesOutside, antialias };
  const plain = mode === "linear" && !antialias;
  return {
    at: ALL_COORDINATES[coordinates]!,
    nearest,
    blend: plain ? linear : (axis, x) => blendAt(node, blending, axis, x),
    fill: coordinates === "tf_crop_and_resize" ? fill : undefined,
  };
}

export function rareResizes(): OperatorTable {
  return resizes(samplingOf);
}
