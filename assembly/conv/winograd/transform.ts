/**
 * The transforms of Winograd's F(4×4, 3×3), four channels at a time (Lavin and Gray, arXiv:1509.09308).
 *
 * Six inputs, three taps and four outputs of a correlation are polynomials evaluated at the points 0, ±a, ±b, ∞. With
 * a = √½ and b = √2 the entries of the three matrices stay close to one, which costs less accuracy than the usual
 * 1 and 2 do. In one dimension, with a² = ½, b² = 2, α = 1/(2a²(a² − b²)) = −⅔, β = 1/(2b²(b² − a²)) = ⅙:
 *
 *   Bᵀ =  1   0    −5/2   0    1  0     G =  1  0   0      Aᵀ =  1  1   1   1   1  0
 *         0  −ab²  −b²    a    1  0          α  αa  αa²          0  a  −a   b  −b  0
 *         0   ab²  −b²   −a    1  0          α −αa  αa²          0  a²  a²  b²  b² 0
 *         0  −a²b  −a²    b    1  0          β  βb  βb²          0  a³ −a³  b³ −b³ 1
 *         0   a²b  −a²   −b    1  0          β −βb  βb²
 *         0   1     0   −5/2   0  1          0  0   1
 *
 * In two dimensions each is applied to the columns and then to the rows. `from` and `to` walk in bytes.
 */
import { take } from "../../lib/workspace";
import { add4, load4, madd4, mul4, splat, store4, sub4 } from "../../lib/simd";

/** The points, and what follows from them. */
const A: f32 = 0.7071067811865476;
const B: f32 = 1.4142135623730951;
/** a³ and b³. */
const A3: f32 = 0.3535533905932738;
const B3: f32 = 2.8284271247461903;
/** a² + b². */
const SQUARES: f32 = 2.5;
const ALPHA: f32 = -0.6666666666666666;
const BETA: f32 = 0.16666666666666666;
/** αa, αa², βb, βb². */
const ALPHA_A: f32 = -0.4714045207910317;
const ALPHA_A2: f32 = -0.3333333333333333;
const BETA_B: f32 = 0.23570226039551587;
const BETA_B2: f32 = 0.3333333333333333;

/** Height and width of a tile of the input, in pixels. */
export const TILE: i32 = 6;
/** Pixels of a tile of the input: one product each. @abi WINOGRAD_POINTS */
export const POINTS: i32 = 36;
/** Height and width of a tile of the output. @abi WINOGRAD_OUT */
export const OUT: i32 = 4;
/** Bytes of a vector, and of a row of six in the transforms' workspace. */
const VECTOR: usize = 16;
const LINE: usize = 6 * VECTOR;

/** Takes the workspace of the transforms: what lies between columns and rows, a vector a point. */
export function takeTransform(): usize {
  return take(POINTS * VECTOR);
}

/** `Bᵀ`: six inputs to six points. */
// @ts-ignore: decorator
@inline
function inputLine(from: usize, step: usize, to: usize, toStep: usize): void {
  const d1 = load4(from + step);
  const d2 = load4(from + 2 * step);
  const d3 = load4(from + 3 * step);
  const d4 = load4(from + 4 * step);
  store4(to, madd4(d2, splat(-SQUARES), add4(load4(from), d4)));
  const even1 = sub4(d4, add4(d2, d2));
  const odd1 = mul4(splat(A), sub4(d3, add4(d1, d1)));
  store4(to + toStep, add4(even1, odd1));
  store4(to + 2 * toStep, sub4(even1, odd1));
  const half = splat(0.5);
  const even2 = sub4(d4, mul4(d2, half));
  const odd2 = mul4(splat(B), sub4(d3, mul4(d1, half)));
  store4(to + 3 * toStep, add4(even2, odd2));
  store4(to + 4 * toStep, sub4(even2, odd2));
  store4(to + 5 * toStep, madd4(d3, splat(-SQUARES), add4(d1, load4(from + 5 * step))));
}

/** `G`: three taps to six points. */
// @ts-ignore: decorator
@inline
function filterLine(g0: v128, g1: v128, g2: v128, to: usize, toStep: usize): void {
  store4(to, g0);
  const even1 = madd4(g2, splat(ALPHA_A2), mul4(g0, splat(ALPHA)));
  const odd1 = mul4(g1, splat(ALPHA_A));
  store4(to + toStep, add4(even1, odd1));
  store4(to + 2 * toStep, sub4(even1, odd1));
  const even2 = madd4(g2, splat(BETA_B2), mul4(g0, splat(BETA)));
  const odd2 = mul4(g1, splat(BETA_B));
  store4(to + 3 * toStep, add4(even2, odd2));
  store4(to + 4 * toStep, sub4(even2, odd2));
  store4(to + 5 * toStep, g2);
}

/** `A`: four outputs' gradients to six points. */
// @ts-ignore: decorator
@inline
function gradientLine(from: usize, step: usize, to: usize, toStep: usize): void {
  const y0 = load4(from);
  const y1 = load4(from + step);
  const y2 = load4(from + 2 * step);
  const y3 = load4(from + 3 * step);
  store4(to, y0);
  const even1 = madd4(y2, splat(0.5), y0);
  const odd1 = madd4(y3, splat(A3), mul4(y1, splat(A)));
  store4(to + toStep, add4(even1, odd1));
  store4(to + 2 * toStep, sub4(even1, odd1));
  const even2 = add4(y0, add4(y2, y2));
  const odd2 = madd4(y3, splat(B3), mul4(y1, splat(B)));
  store4(to + 3 * toStep, add4(even2, odd2));
  store4(to + 4 * toStep, sub4(even2, odd2));
  store4(to + 5 * toStep, y3);
}

/** `Bᵀ·d·B` of `vectors` × 4 channels of a 6×6 tile; point `i` goes to `to + i·point`. */
export function transformInput(
  vectors: i32,
  from: usize,
  row: usize,
  pixel: usize,
  to: usize,
  point: usize,
  workspace: usize,
): void {
  for (let v = vectors; v > 0; v--) {
    for (let x = 0; x < TILE; x++) inputLine(from + x * pixel, row, workspace + x * VECTOR, LINE);
    for (let y = 0; y < TILE; y++) inputLine(workspace + y * LINE, VECTOR, to + y * TILE * point, point);
    from += VECTOR;
    to += VECTOR;
  }
}

/** `A·dy·Aᵀ` of `vectors` × 4 filters of a 4×4 tile; point `i` goes to `to + i·point`. */
export function transformGradient(
  vectors: i32,
  from: usize,
  row: usize,
  pixel: usize,
  to: usize,
  point: usize,
  workspace: usize,
): void {
  for (let v = vectors; v > 0; v--) {
    for (let x = 0; x < OUT; x++) gradientLine(from + x * pixel, row, workspace + x * VECTOR, LINE);
    for (let y = 0; y < TILE; y++) gradientLine(workspace + y * LINE, VECTOR, to + y * TILE * point, point);
    from += VECTOR;
    to += VECTOR;
  }
}

/** `G·g·Gᵀ` of four filters of 3×3 taps, `tap` bytes apart; point `i` goes to `to + i·point`. */
export function transformFilter(from: usize, tap: usize, to: usize, point: usize, workspace: usize): void {
  for (let x = 0; x < 3; x++) {
    const column = from + x * tap;
    filterLine(load4(column), load4(column + 3 * tap), load4(column + 6 * tap), workspace + x * VECTOR, LINE);
  }
  for (let y = 0; y < TILE; y++) {
    const line = workspace + y * LINE;
    filterLine(load4(line), load4(line + VECTOR), load4(line + 2 * VECTOR), to + y * TILE * point, point);
  }
}

/** `Gᵀ`: the gradients of six points to those of three taps. */
// @ts-ignore: decorator
@inline
function tapLine(from: usize, step: usize, to: usize, toStep: usize): void {
  const u1 = load4(from + step);
  const u2 = load4(from + 2 * step);
  const u3 = load4(from + 3 * step);
  const u4 = load4(from + 4 * step);
  const sum1 = add4(u1, u2);
  const sum2 = add4(u3, u4);
  store4(to, madd4(sum2, splat(BETA), madd4(sum1, splat(ALPHA), load4(from))));
  store4(to + toStep, madd4(sub4(u3, u4), splat(BETA_B), mul4(sub4(u1, u2), splat(ALPHA_A))));
  const last = load4(from + 5 * step);
  store4(to + 2 * toStep, madd4(sum2, splat(BETA_B2), madd4(sum1, splat(ALPHA_A2), last)));
}

/** `Gᵀ·du·G` of four filters: point `i` at `from + i·point`; tap `(y, x)` goes to `to + (3y + x)·16`. */
export function transformTaps(from: usize, point: usize, to: usize, workspace: usize): void {
  for (let x = 0; x < TILE; x++) tapLine(from + x * point, TILE * point, workspace + x * VECTOR, LINE);
  for (let y = 0; y < 3; y++) tapLine(workspace + y * LINE, VECTOR, to + 3 * y * VECTOR, VECTOR);
}

/** `Aᵀ`: six points to four outputs. */
// @ts-ignore: decorator
@inline
function outputLine(from: usize, step: usize, to: usize, toStep: usize): void {
  const m1 = load4(from + step);
  const m2 = load4(from + 2 * step);
  const m3 = load4(from + 3 * step);
  const m4 = load4(from + 4 * step);
  const sum1 = add4(m1, m2);
  const sum2 = add4(m3, m4);
  store4(to, add4(add4(load4(from), sum1), sum2));
  store4(to + 2 * toStep, madd4(sum1, splat(0.5), add4(sum2, sum2)));
  const difference1 = sub4(m1, m2);
  const difference2 = sub4(m3, m4);
  store4(to + toStep, madd4(difference1, splat(A), mul4(difference2, splat(B))));
  const cubes = madd4(difference1, splat(A3), mul4(difference2, splat(B3)));
  store4(to + 3 * toStep, add4(cubes, load4(from + 5 * step)));
}

/** `Aᵀ·m·A` of four filters: point `i` at `from + i·point`; output pixel `(y, x)` goes to `workspace + 96y + 16x`. */
export function transformOutput(from: usize, point: usize, workspace: usize): void {
  for (let x = 0; x < TILE; x++) outputLine(from + x * point, TILE * point, workspace + x * VECTOR, LINE);
  for (let y = 0; y < OUT; y++) outputLine(workspace + y * LINE, VECTOR, workspace + y * LINE, VECTOR);
}

/** The address at which `transformOutput` leaves an output pixel. */
// @ts-ignore: decorator
@inline
export function outputAt(workspace: usize, y: i32, x: i32): usize {
  return workspace + <usize>y * LINE + <usize>x * VECTOR;
}
