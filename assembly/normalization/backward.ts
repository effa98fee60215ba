/** The backward pass of `normalization.ts`. */
import { columnSums } from "./columnSums";
import { double, float, setDouble, setFloat } from "../lib/elements";
import { byImages, gammaOf, inverse, ownPart, unitOf } from "./forward";
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, add4, loadLanes, mul4, storeLanes, sub4 } from "../lib/simd";

/**
 * The adjoint of `normalizeForward`: `dbeta = Σ dy`, `dgamma = Σ dy·x̂` with x̂ = (x − mean) / √(variance + epsilon), and
 * `dx = (gamma·dy − A − x̂·B) / √(variance + epsilon)`, where A and B are the means of gamma·dy and gamma·dy·x̂ over the
 * set. With `fixed` statistics that do not follow from x, A and B are 0, and x is read for `dgamma` and `dbeta` alone.
 * `dx`, `dgamma` and `dbeta` may each be 0 for not needed; `dx` may be `dy`.
 *
 * Sums in float64: rows ascending, then channels of a group, or images, ascending; the coefficients of dy, 1 and x − mean
 * are rounded once.
 *
 * @split 2 * SCATTER * images * rows * c
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
  const unit = unitOf(c, groups);
  const sums = dgamma != 0 || dbeta != 0;
  // Sums go over all images: of those that were shared, in a second pass, to which no thread may have overwritten dy.
  const whole = byImages(images, c, groups) && !(sums && dx == dy);
  const left = whole ? firstShare(c, LINE) : firstShare(groups, unit) * size;
  const right = whole ? endShare(c, LINE) : endShare(groups, unit) * size;
  const part = ownPart(workspace, c);
  const totals = part + ((<usize>c) << 4);
  memory.fill(totals, 0, (<usize>c) << 4);
  if (whole && dx != 0) {
    const first = firstShare(images);
    const end = endShare(images);
    pass(first, end, 0, c, rows, c, size, x, dy, mean, variance, epsilon, gamma, fixed, false, dx, part);
  }
  const rest = whole ? 0 : dx;
  if (sums || rest != 0) {
    pass(
      0,
      images,
      left,
      right,
      rows,
      c,
      size,
      x,
      dy,
      mean,
      variance,
      epsilon,
      gamma,
      fixed,
      sums,
      rest,
      part,
    );
  }
  for (let j = left; j < right; j++) {
    if (dbeta != 0) setFloat(dbeta, j, double(totals, j));
    if (dgamma != 0) setFloat(dgamma, j, double(totals, c + j));
  }
}

/**
 * Columns `left` to `right` of images `first` to `end`: adds their sums to the totals with `sums`, and writes `dx` unless it
 * is 0, for which the columns must be whole groups. In `part` lie Σ dy, Σ dy·(x − centre) and the totals of both, float64,
 * then centres and the coefficients of `gradientVector`, float32, each of all channels.
 */
function pass(
  first: i32,
  end: i32,
  left: i32,
  right: i32,
  rows: i32,
  c: i32,
  size: i32,
  x: usize,
  dy: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  gamma: usize,
  fixed: bool,
  sums: bool,
  dx: usize,
  part: usize,
): void {
  const groups = c / size;
  const doubles = (<usize>c) << 3;
  const centres = part + 4 * doubles;
  for (let i = first; i < end; i++) {
    const at = (<usize>i * <usize>rows * <usize>c) << 2;
    const means = mean + ((<usize>i * <usize>groups) << 2);
    const variances = variance + ((<usize>i * <usize>groups) << 2);
    setCentres(left, right, size, means, centres);
    if (sums || !fixed) {
      columnSums(false, rows, c, left, right, dy + at, x + at, centres, part, part + doubles);
    }
    if (sums) addTotals(left, right, c, size, variances, <f64>epsilon, part);
    if (dx == 0) continue;
    for (let j = left; j < right; j += size) {
      const scale = inverse(variances, j / size, <f64>epsilon);
      coefficients(rows, c, j, j + size, scale, gamma, fixed, part);
    }
    if (fixed) gradientRows(true, rows, c, left, right, x + at, dy + at, centres, dx + at);
    else gradientRows(false, rows, c, left, right, x + at, dy + at, centres, dx + at);
  }
}

/** The means of the groups of the columns `left` to `right`. */
function setCentres(left: i32, right: i32, size: i32, means: usize, centres: usize): void {
  for (let j = left; j < right;) {
    const group = j / size;
    const centre = <f64>float(means, group);
    for (const end = min(right, (group + 1) * size); j < end; j++) setFloat(centres, j, centre);
  }
}

/** Adds an image's sums of the columns `left` to `right` to their totals, those of dy·(x − centre) as of dy·x̂. */
function addTotals(
  left: i32,
  right: i32,
  c: i32,
  size: i32,
  variance: usize,
  epsilon: f64,
  part: usize,
): void {
  const totals = part + ((<usize>c) << 4);
  for (let j = left; j < right;) {
    const group = j / size;
    const scale = inverse(variance, group, epsilon);
    for (const end = min(right, (group + 1) * size); j < end; j++) {
      setDouble(totals, j, double(totals, j) + double(part, j));
      setDouble(totals, c + j, double(totals, c + j) + double(part, c + j) * scale);
    }
  }
}

/** The coefficients of one group's channels, `from` to `end`, from their sums. */
function coefficients(
  rows: i32,
  c: i32,
  from: i32,
  end: i32,
  scale: f64,
  gamma: usize,
  fixed: bool,
  part: usize,
): void {
  const floats = (<usize>c) << 2;
  const factors = part + 9 * floats;
  const shifts = factors + floats;
  const slopes = shifts + floats;
  for (let j = from; j < end; j++) setFloat(factors, j, gammaOf(gamma, j) * scale);
  if (fixed) return;
  let a: f64 = 0;
  let b: f64 = 0;
  for (let j = from; j < end; j++) {
    a += gammaOf(gamma, j) * double(part, j);
    b += gammaOf(gamma, j) * (double(part, c + j) * scale);
  }
  const count = <f64>rows * <f64>(end - from);
  for (let j = from; j < end; j++) {
    setFloat(shifts, j, (a / count) * scale);
    setFloat(slopes, j, (b / count) * scale * scale);
  }
}

/** `dx` of the rows of columns `first` to `end`; `fixed` is a constant at each call. */
// @ts-ignore: decorator
@inline
function gradientRows(
  fixed: bool,
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
    for (; j + LANES <= end; j += LANES) {
      gradientVector(fixed, LANES, floats, (<usize>j) << 2, x, dy, centres, dx);
    }
    if (j < end) gradientVector(fixed, end - j, floats, (<usize>j) << 2, x, dy, centres, dx);
    x += floats;
    dy += floats;
    dx += floats;
  }
}

/**
 * `dx = factor·dy − (shift + slope·(x − centre))` for `count` columns from byte `at` on, or `factor·dy` with `fixed`; the
 * four coefficients lie one behind the other.
 */
// @ts-ignore: decorator
@inline
function gradientVector(
  fixed: bool,
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
  const direct = mul4(loadLanes(factors + at, count), loadLanes(dy + at, count));
  if (fixed) {
    storeLanes(dx + at, direct, count);
    return;
  }
  const offset = sub4(loadLanes(x + at, count), loadLanes(centres + at, count));
  const drift = add4(loadLanes(shifts + at, count), mul4(loadLanes(slopes + at, count), offset));
  storeLanes(dx + at, sub4(direct, drift), count);
}
