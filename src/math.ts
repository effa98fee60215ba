/**
 * Functions of float64 with the same bits on every host, as a host's own need not have them: of + − × ÷, √ and whole numbers
 * alone. The kernels have their own, of float32.
 */
import { ln } from "./random.ts";

/** ln 2 in two parts: the high one has 21 trailing zero bits, so that `k · LN2_HIGH` is exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

/** Beyond these eˣ is infinite or zero in float64. */
const [LARGEST, SMALLEST] = [709.782712893384, -745.1332191019412];

/** The last term of the series: the next is below 10⁻¹⁷ up to ln 2 / 2. */
const TERMS = 13;

/** The largest exponent that `pow` multiplies out. */
const MULTIPLIED = 64;

/** 2^k for −1022 ≤ k ≤ 1023, by products of exact powers. */
function powerOfTwo(k: number): number {
  let power = 1;
  let factor = k < 0 ? 0.5 : 2;
  for (let left = Math.abs(k); left > 0; left >>= 1) {
    if (left & 1) power *= factor;
    factor *= factor;
  }
  return power;
}

/** eʳ − 1 for |r| ≤ ln 2 / 2, by its series. */
function smallExpm1(r: number): number {
  let sum = 1;
  for (let n = TERMS; n >= 2; n--) sum = 1 + (r / n) * sum;
  return r * sum;
}

/** x = k·ln 2 + r: k, and r with |r| ≤ ln 2 / 2. */
function reduce(x: number): [k: number, r: number] {
  const k = Math.floor(x / LN2_HIGH + 0.5);
  return [k, x - k * LN2_HIGH - k * LN2_LOW];
}

/** eˣ, within 2 units in the last place where it is a normal number. */
export function exp(x: number): number {
  if (x > LARGEST) return Infinity;
  if (x < SMALLEST) return 0;
  if (x !== x) return x;
  const [k, r] = reduce(x);
  // Two factors, since 2^k alone may be out of range.
  const half = k >> 1;
  return (1 + smallExpm1(r)) * powerOfTwo(half) * powerOfTwo(k - half);
}

/** eˣ − 1 without the cancellation near 0, for |x| ≤ 100. */
function expm1(x: number): number {
  const [k, r] = reduce(x);
  const power = powerOfTwo(k);
  return power * smallExpm1(r) + (power - 1);
}

/** The natural logarithm, within 3 units in the last place; NaN below 0. */
export function log(x: number): number {
  if (x !== x || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return x;
  // Numbers below 2^-1022 have fewer bits: scaled up, they are normal.
  return x < 2 ** -1022 ? ln(x * 2 ** 54) - 54 * LN2_HIGH - 54 * LN2_LOW : ln(x);
}

/** The hyperbolic tangent, within 4 units in the last place. */
export function tanh(x: number): number {
  if (x === 0 || x !== x) return x;
  const size = Math.abs(x);
  if (size > 20) return Math.sign(x);
  const e = expm1(2 * size);
  return (Math.sign(x) * e) / (e + 2);
}

/** 1 / (1 + e⁻ˣ), within 4 units in the last place where it is a normal number. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** The square root, which every host rounds correctly. */
export function sqrt(x: number): number {
  return Math.sqrt(x);
}

/**
 * x to the power y, as `Math.pow` has its special cases. Whole exponents up to ±64 are multiplied out, within |y| units in the last
 * place; else it is e to the y·ln |x|, within 4·(1 + |y·ln x|) units.
 */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  const size = Math.abs(x);
  if (y !== y || x !== x || (size === 1 && Math.abs(y) === Infinity)) return NaN;
  const isWhole = Number.isInteger(y);
  if (isWhole && Math.abs(y) <= MULTIPLIED) return multiplied(x, y);
  const power = exp(y * log(size));
  if (x > 0 || Object.is(x, 0) || Math.abs(y) === Infinity) return power;
  if (isWhole) return y % 2 === 0 ? power : -power;
  return size === 0 || size === Infinity ? power : NaN;
}

/** x to a whole power by squares. */
function multiplied(x: number, y: number): number {
  let power = 1;
  let factor = x;
  for (let left = Math.abs(y); left > 0; left >>= 1) {
    if (left & 1) power *= factor;
    factor *= factor;
  }
  return y < 0 ? 1 / power : power;
}
