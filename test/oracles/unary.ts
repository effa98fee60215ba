/** Functions of one element and their slopes in float64, straight from their definitions. */

import { UNARY } from "../../build/kernels.ts";

export type Unary = keyof typeof UNARY;

export const UNARIES = Object.keys(UNARY) as Unary[];

/** erf by its Taylor series below 3, by the continued fraction of erfc (Laplace) above. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z >= 3) {
    let fraction = z;
    for (let k = 60; k > 0; k--) fraction = z + k / 2 / fraction;
    return Math.sign(x) * (1 - Math.exp(-z * z) / (fraction * Math.sqrt(Math.PI)));
  }
  let sum = 0;
  for (let k = 0, term = x; k < 100; k++, term *= (-x * x) / k) sum += term / (2 * k + 1);
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function nearest(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

export function unary(kind: Unary, alpha: number, beta: number, x: number): number {
  switch (kind) {
    case "abs":
      return Math.abs(x);
    case "neg":
      return -x;
    case "sqrt":
      return Math.sqrt(x);
    case "reciprocal":
      return 1 / x;
    case "exp":
      return Math.exp(x);
    case "log":
      return Math.log(x);
    case "erf":
      return erf(x);
    case "softsign":
      return x / (1 + Math.abs(x));
    case "threshold":
      return x > alpha ? x : 0;
    case "clip":
      return Math.min(Math.max(x, alpha), beta);
    case "exponential":
      return x > 0 ? x : alpha * Math.expm1(beta * x);
    case "floor":
      return Math.floor(x);
    case "ceil":
      return Math.ceil(x);
    case "round":
      return nearest(x);
    case "sign":
      return Math.sign(x);
  }
}

export function unarySlope(kind: Unary, alpha: number, beta: number, x: number): number {
  switch (kind) {
    case "abs":
      return Math.sign(x);
    case "neg":
      return -1;
    case "sqrt":
      return 0.5 / Math.sqrt(x);
    case "reciprocal":
      return -1 / x ** 2;
    case "exp":
      return Math.exp(x);
    case "log":
      return 1 / x;
    case "erf":
      return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);
    case "softsign":
      return (1 + Math.abs(x)) ** -2;
    case "threshold":
      return x > alpha ? 1 : 0;
    case "clip":
      return x >= alpha && x <= beta ? 1 : 0;
    case "exponential":
      return x > 0 ? 1 : alpha * beta * Math.exp(beta * x);
    default:
      return 0;
  }
}

/** The logarithm of the softmax of one row. */
export function logSoftmax(row: readonly number[]): number[] {
  const largest = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
  return row.map((value) => value - largest - Math.log(sum));
}
