/**
 * Normalizations. `x[images, rows, c]` is cut into sets that have a mean and a variance each: every image's channels in
 * `groups` of equal size, over all rows.
 *
 * Batch normalization is one image of n·h·w rows with c groups; instance normalization has n images of h·w rows and c
 * groups; group normalization fewer groups; layer normalization n images of one row and one group. `gamma` and `beta` are
 * `[c]`, or 0 for ones and zeros.
 */
import { columnSums } from "./columnSums";
import { double, float, setFloat } from "../lib/elements";
import { LINE, endOf, firstOf, shares } from "../lib/share";
import { openWorkspace, takeFloats, workspaceFloats } from "../lib/workspace";
import { LANES, add4, load4, loadLanes, mul4, storeLanes, sub4 } from "../lib/simd";
import { normal } from "../elementwise/subnormal";

/** Bytes a channel: four float64 and four float32, as `backward.ts` uses them. */
const CHANNEL: usize = 4 * sizeof<f64>() + 4 * sizeof<f32>();

/** Floats of workspace for the normalizations of `c` channels. @size */
export function normalizeWorkspace(c: i32): f64 {
  ownPart(0, c);
  return workspaceFloats();
}

/** This thread's part of it. */
export function ownPart(workspace: usize, c: i32): usize {
  openWorkspace(workspace);
  return takeFloats(<f64>(CHANNEL >> 2) * <f64>c);
}

/** Groups, which threads do not cut, that one takes at once: at least a cache line of channels. */
// @ts-ignore: decorator
@inline
export function unitOf(c: i32, groups: i32): i32 {
  const size = c / groups;
  return (LINE + size - 1) / size;
}

/** Whether threads share images instead of groups: where these are too few, and fewer. */
// @ts-ignore: decorator
@inline
export function byImages(images: i32, c: i32, groups: i32): bool {
  const unit = unitOf(c, groups);
  const units = (groups + unit - 1) / unit;
  return units < shares() && units < images;
}

/** A weight of `[c]` that may be absent. */
// @ts-ignore: decorator
@inline
export function weight(p: usize, i: i32, absent: f64): f64 {
  return p == 0 ? absent : <f64>float(p, i);
}

/** 1 / √(variance + epsilon). */
// @ts-ignore: decorator
@inline
export function inverse(variance: usize, set: i32, epsilon: f64): f64 {
  return 1 / Math.sqrt(<f64>float(variance, set) + epsilon);
}

/** The factor of a channel before it is divided by the deviation: zero where it is subnormal (see `subnormal.ts`). */
// @ts-ignore: decorator
@inline
export function gammaOf(gamma: usize, i: i32): f64 {
  return gamma == 0 ? 1 : <f64>normal(float(gamma, i));
}

/**
 * `mean[images, groups]` and the (biased) `variance[images, groups]` of the sets.
 *
 * In float64: sums of x − k and (x − k)² down each column, k the column's first element, rows ascending; then over the
 * channels of a group, ascending. Each result is rounded once. Before that the mean is off by at most (n + 6)·2⁻⁵³ times
 * the mean over the set's n elements of |k| + |x − k|; the variance by (n + 6)·2⁻⁵³ times that of (|x − k| + |k − mean|)²,
 * and by the square of what the mean is off.
 *
 * @split SCATTER * images * rows * c
 */
export function normalizeStatistics(
  images: i32,
  rows: i32,
  c: i32,
  groups: i32,
  x: usize,
  mean: usize,
  variance: usize,
  workspace: usize,
): void {
  const size = c / groups;
  const whole = byImages(images, c, groups);
  const first = firstOf(!whole, groups, unitOf(c, groups));
  const end = endOf(!whole, groups, unitOf(c, groups));
  const s1 = ownPart(workspace, c);
  const s2 = s1 + ((<usize>c) << 3);
  const last = endOf(whole, images);
  for (let i = firstOf(whole, images); i < last; i++) {
    const from = x + ((<usize>i * <usize>rows * <usize>c) << 2);
    const at = (<usize>i * <usize>groups) << 2;
    columnSums(true, rows, c, first * size, end * size, from, from, from, s1, s2);
    for (let g = first; g < end; g++) statisticsOf(rows, size, g, from, s1, s2, mean + at, variance + at);
  }
}

/** Joins the columns of one group: their sums are taken about their own first elements in `x`. */
function statisticsOf(
  rows: i32,
  size: i32,
  group: i32,
  x: usize,
  s1: usize,
  s2: usize,
  mean: usize,
  variance: usize,
): void {
  const from = group * size;
  const count = <f64>rows * <f64>size;
  let total: f64 = 0;
  for (let j = from; j < from + size; j++) total += <f64>rows * <f64>float(x, j) + double(s1, j);
  const centre = total / count;
  let squares: f64 = 0;
  for (let j = from; j < from + size; j++) {
    const offset = <f64>float(x, j) - centre;
    squares += double(s2, j) + 2 * offset * double(s1, j) + <f64>rows * offset * offset;
  }
  setFloat(mean, group, centre);
  setFloat(variance, group, max<f64>(squares, 0) / count);
}

/**
 * `y = (x − mean)·(gamma / √(variance + epsilon)) + beta`; `y` may be `x`.
 *
 * The factor is rounded once from float64, then three operations: |error| ≤ 4u·|(x − mean)·factor| + u·|y|, and
 * 2⁻¹²⁶·|x − mean| / √(variance + epsilon) where gamma is subnormal and counts as zero.
 *
 * @split COPY * images * rows * c
 */
export function normalizeForward(
  images: i32,
  rows: i32,
  c: i32,
  groups: i32,
  x: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  gamma: usize,
  beta: usize,
  y: usize,
  workspace: usize,
): void {
  const size = c / groups;
  const whole = byImages(images, c, groups);
  const first = firstOf(!whole, groups, unitOf(c, groups));
  const end = endOf(!whole, groups, unitOf(c, groups));
  const row = (<usize>c) << 2;
  const centres = ownPart(workspace, c);
  const factors = centres + row;
  const shifts = factors + row;
  const last = endOf(whole, images);
  for (let i = firstOf(whole, images); i < last; i++) {
    for (let g = first; g < end; g++) {
      const centre = <f64>float(mean, i * groups + g);
      const scale = inverse(variance, i * groups + g, <f64>epsilon);
      for (let j = g * size; j < (g + 1) * size; j++) {
        setFloat(centres, j, centre);
        setFloat(factors, j, gammaOf(gamma, j) * scale);
        setFloat(shifts, j, weight(beta, j, 0));
      }
    }
    let at = <usize>i * <usize>rows * row;
    for (let r = 0; r < rows; r++) {
      affineRow(first * size, end * size, x + at, centres, factors, shifts, y + at);
      at += row;
    }
  }
}

/** `(x − centre)·factor + shift` for columns `first` to `end` of a row. */
// @ts-ignore: decorator
@inline
function affineRow(
  first: i32,
  end: i32,
  x: usize,
  centres: usize,
  factors: usize,
  shifts: usize,
  y: usize,
): void {
  let j = first;
  for (; j + LANES <= end; j += LANES) {
    const at = (<usize>j) << 2;
    const offset = sub4(load4(x + at), load4(centres + at));
    storeLanes(y + at, add4(mul4(offset, load4(factors + at)), load4(shifts + at)), LANES);
  }
  const rest = end - j;
  if (rest == 0) return;
  const at = (<usize>j) << 2;
  const offset = sub4(loadLanes(x + at, rest), loadLanes(centres + at, rest));
  const scaled = mul4(offset, loadLanes(factors + at, rest));
  storeLanes(y + at, add4(scaled, loadLanes(shifts + at, rest)), rest);
}
