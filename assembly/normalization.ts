/**
 * Normalizations. `x[images, rows, c]` is cut into sets that have a mean and a variance each: every image's channels in
 * `groups` of equal size, over all rows.
 *
 * Batch normalization is one image of n·h·w rows with c groups; instance normalization has n images of h·w rows and c
 * groups; group normalization fewer groups; layer normalization n images of one row and one group. `gamma` and `beta` are
 * `[c]`, or 0 for ones and zeros.
 */
import { columnSums } from "./columnSums";
import { endShare, firstShare } from "./share";
import { LANES, add4, load4, loadLanes, mul4, storeLanes, sub4 } from "./simd";

/** Threads share channels in cache lines, and do not cut groups. */
const LINE: i32 = 16;

/** The workspace: four float64 and four float32 a channel. */
export function normalizeWorkspace(c: i32): f64 {
  return 12 * <f64>c;
}

/** Groups that a thread takes at once: at least a cache line of channels. */
// @ts-ignore: decorator
@inline
function unitOf(c: i32, groups: i32): i32 {
  return max(1, LINE / (c / groups));
}

// @ts-ignore: decorator
@inline
function float(p: usize, i: i32): f32 {
  return load<f32>(p + ((<usize>i) << 2));
}

// @ts-ignore: decorator
@inline
function double(p: usize, i: i32): f64 {
  return load<f64>(p + ((<usize>i) << 3));
}

// @ts-ignore: decorator
@inline
function setFloat(p: usize, i: i32, value: f64): void {
  store<f32>(p + ((<usize>i) << 2), <f32>value);
}

/** A weight of `[c]` that may be absent. */
// @ts-ignore: decorator
@inline
function weight(p: usize, i: i32, absent: f64): f64 {
  return p == 0 ? absent : <f64>float(p, i);
}

/** 1 / √(variance + epsilon). */
// @ts-ignore: decorator
@inline
function inverse(variance: usize, set: i32, epsilon: f64): f64 {
  return 1 / Math.sqrt(<f64>float(variance, set) + epsilon);
}

/**
 * `mean[images, groups]` and the (biased) `variance[images, groups]` of the sets.
 *
 * In float64: sums of x − k and (x − k)² down each column, k the column's first element, rows ascending; then over the
 * channels of a group, ascending. Each result is rounded once; before that it is off by at most (n + 4)·2⁻⁵³ of the
 * means over the set's n elements of |k| + |x − k|, and of (x − k)².
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
  const first = firstShare(groups, unitOf(c, groups));
  const end = endShare(groups, unitOf(c, groups));
  const s1 = workspace;
  const s2 = s1 + ((<usize>c) << 3);
  for (let i = 0; i < images; i++) {
    columnSums(true, rows, c, first * size, end * size, x, x, x, s1, s2);
    for (let g = first; g < end; g++) statisticsOf(rows, size, g, x, s1, s2, mean, variance);
    x += (<usize>rows * <usize>c) << 2;
    mean += (<usize>groups) << 2;
    variance += (<usize>groups) << 2;
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
 * The factor is rounded once from float64, then three operations: |error| ≤ 4u·|(x − mean)·factor| + u·|y|.
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
  const first = firstShare(groups, unitOf(c, groups));
  const end = endShare(groups, unitOf(c, groups));
  const centres = workspace;
  const factors = centres + ((<usize>c) << 2);
  const shifts = factors + ((<usize>c) << 2);
  for (let i = 0; i < images; i++) {
    for (let g = first; g < end; g++) {
      const centre = <f64>float(mean, i * groups + g);
      const scale = inverse(variance, i * groups + g, <f64>epsilon);
      for (let j = g * size; j < (g + 1) * size; j++) {
        setFloat(centres, j, centre);
        setFloat(factors, j, weight(gamma, j, 1) * scale);
        setFloat(shifts, j, weight(beta, j, 0));
      }
    }
    for (let r = 0; r < rows; r++) {
      affineRow(first * size, end * size, x, centres, factors, shifts, y);
      x += (<usize>c) << 2;
      y += (<usize>c) << 2;
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

/**
 * The adjoint of `normalizeForward`: `dbeta = Σ dy`, `dgamma = Σ dy·x̂` with x̂ = (x − mean) / √(variance + epsilon), and
 * `dx = (gamma·dy − A − x̂·B) / √(variance + epsilon)`, where A and B are the means of gamma·dy and gamma·dy·x̂ over the
 * set. With `fixed` statistics that do not follow from x, A and B are 0. `dx`, `dgamma` and `dbeta` may each be 0 for
 * not needed; `dx` may be `dy`.
 *
 * Sums in float64: rows ascending, then channels of a group, or images, ascending; the coefficients of dy, 1 and x − mean
 * are rounded once.
 */
export function normalizeBackward(
  images: i32,
  rows: i32,
  c: i32,
  groups: i32,
  x: usize,
  dy: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  gamma: usize,
  fixed: bool,
  dx: usize,
  dgamma: usize,
  dbeta: usize,
  workspace: usize,
): void {
  const size = c / groups;
  const first = firstShare(groups, unitOf(c, groups));
  const end = endShare(groups, unitOf(c, groups));
  const doubles = (<usize>c) << 3;
  const totals = workspace + 2 * doubles;
  const centres = workspace + 4 * doubles;
  const image = (<usize>rows * <usize>c) << 2;
  for (let j = first * size; j < end * size; j++) {
    store<f64>(totals + ((<usize>j) << 3), 0);
    store<f64>(totals + doubles + ((<usize>j) << 3), 0);
  }
  for (let i = 0; i < images; i++) {
    for (let g = first; g < end; g++) {
      const centre = <f64>float(mean, i * groups + g);
      for (let j = g * size; j < (g + 1) * size; j++) setFloat(centres, j, centre);
    }
    columnSums(false, rows, c, first * size, end * size, dy, x, centres, workspace, workspace + doubles);
    for (let g = first; g < end; g++) {
      const scale = inverse(variance, i * groups + g, <f64>epsilon);
      coefficients(rows, c, size, g, scale, gamma, fixed, workspace);
    }
    if (dx != 0) gradientRows(rows, c, first * size, end * size, x, dy, centres, dx);
    x += image;
    dy += image;
    dx += dx == 0 ? 0 : image;
  }
  for (let j = first * size; j < end * size; j++) {
    if (dbeta != 0) setFloat(dbeta, j, double(totals, j));
    if (dgamma != 0) setFloat(dgamma, j, double(totals + doubles, j));
  }
}

/** Adds one group's sums to the totals, and makes the coefficients of its channels. */
function coefficients(
  rows: i32,
  c: i32,
  size: i32,
  group: i32,
  scale: f64,
  gamma: usize,
  fixed: bool,
  workspace: usize,
): void {
  const doubles = (<usize>c) << 3;
  const s1 = workspace;
  const s2 = s1 + doubles;
  const totals = s2 + doubles;
  const factors = totals + 2 * doubles + (doubles >> 1);
  const shifts = factors + (doubles >> 1);
  const slopes = shifts + (doubles >> 1);
  const from = group * size;
  let a: f64 = 0;
  let b: f64 = 0;
  for (let j = from; j < from + size; j++) {
    const at = (<usize>j) << 3;
    const product = double(s2, j) * scale;
    store<f64>(totals + at, load<f64>(totals + at) + double(s1, j));
    store<f64>(totals + doubles + at, load<f64>(totals + doubles + at) + product);
    a += weight(gamma, j, 1) * double(s1, j);
    b += weight(gamma, j, 1) * product;
  }
  const count = <f64>rows * <f64>size;
  const shift: f64 = fixed ? 0 : (a / count) * scale;
  const slope: f64 = fixed ? 0 : (b / count) * scale * scale;
  for (let j = from; j < from + size; j++) {
    setFloat(factors, j, weight(gamma, j, 1) * scale);
    setFloat(shifts, j, shift);
    setFloat(slopes, j, slope);
  }
}

/** `dx = factor·dy − (shift + slope·(x − centre))` for columns `first` to `end`; the four coefficients lie one behind the other. */
function gradientRows(
  rows: i32,
  c: i32,
  first: i32,
  end: i32,
  x: usize,
  dy: usize,
  centres: usize,
  dx: usize,
): void {
  const floats = (<usize>c) << 2;
  for (let r = 0; r < rows; r++) {
    let j = first;
    for (; j + LANES <= end; j += LANES) gradientVector(LANES, floats, (<usize>j) << 2, x, dy, centres, dx);
    if (j < end) gradientVector(end - j, floats, (<usize>j) << 2, x, dy, centres, dx);
    x += floats;
    dy += floats;
    dx += floats;
  }
}

/** `count` columns from byte `at` on. */
// @ts-ignore: decorator
@inline
function gradientVector(
  count: i32,
  floats: usize,
  at: usize,
  x: usize,
  dy: usize,
  centres: usize,
  dx: usize,
): void {
  const factors = centres + floats;
  const shifts = factors + floats;
  const slopes = shifts + floats;
  const offset = sub4(loadLanes(x + at, count), loadLanes(centres + at, count));
  const drift = add4(loadLanes(shifts + at, count), mul4(loadLanes(slopes + at, count), offset));
  const direct = mul4(loadLanes(factors + at, count), loadLanes(dy + at, count));
  storeLanes(dx + at, sub4(direct, drift), count);
}

/**
 * `moving = momentum·moving + (1 − momentum)·scale·value` for `n` elements, in float64, rounded once; returns 1 when all
 * new values are finite. Nothing is stored without `commit`.
 */
export function movingAverage(
  moving: usize,
  value: usize,
  n: i32,
  momentum: f64,
  scale: f64,
  commit: bool,
): i32 {
  let finite: i32 = 1;
  for (let j = 0; j < n; j++) {
    const next = <f32>(momentum * <f64>float(moving, j) + (1 - momentum) * scale * <f64>float(value, j));
    if (!isFinite(next)) finite = 0;
    if (commit) setFloat(moving, j, <f64>next);
  }
  return finite;
}
