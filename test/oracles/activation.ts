/** Activations and softmax in float64, straight from their definitions. */
import type { Activation } from "im2row";
import { ACTIVATION } from "../../build/kernels.ts";
import { SMALLEST, SMALLEST_NORMAL, U, ulp } from "../support/float.ts";

export const LINEAR = ACTIVATION.linear;
export const RELU = ACTIVATION.relu;
export const LEAKY_RELU = ACTIVATION.leakyRelu;
export const SIGMOID = ACTIVATION.sigmoid;
export const TANH = ACTIVATION.tanh;
export const RELU6 = ACTIVATION.relu6;
export const ELU = ACTIVATION.elu;
export const SELU = ACTIVATION.selu;
export const HARD_SIGMOID = ACTIVATION.hardSigmoid;
export const SOFTPLUS = ACTIVATION.softplus;
export const SILU = ACTIVATION.silu;
export const HARD_SWISH = ACTIVATION.hardSwish;
export const GELU = ACTIVATION.gelu;
export const GELU_TANH = ACTIVATION.geluTanh;
export const MISH = ACTIVATION.mish;

const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** e^x / (1 + e^x) for negative x keeps it from overflowing. */
export const sigmoid = (x: number): number =>
  x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));

/** ln(1 + e^x), likewise. */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));

/** The terms of erf's Maclaurin series, and of the continued fraction of erfc, which is good to 1e-15 from 2 on. */
const TERMS = 100;

/** 1 − erf z for z ≥ 0 (Abramowitz & Stegun 1964, 7.1.5 and 7.1.14). */
export function erfc(z: number): number {
  if (z < 2) {
    let [term, sum] = [z, z];
    for (let k = 1; k < TERMS; k++) {
      term *= -(z * z) / k;
      sum += term / (2 * k + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = z;
  for (let k = TERMS; k > 0; k--) fraction = z + k / 2 / fraction;
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction;
}

/** The share of a normal distribution below x. */
const normal = (x: number): number => {
  const tail = erfc(Math.abs(x) / Math.SQRT2) / 2;
  return x < 0 ? tail : 1 - tail;
};

/** The elementwise activations by their codes. */
const FORMULAS: Record<number, (x: number, alpha: number) => number> = {
  [LINEAR]: (x) => x,
  [RELU]: (x) => (x < 0 ? 0 : x),
  [LEAKY_RELU]: (x, alpha) => (x < 0 ? alpha * x : x),
  [SIGMOID]: sigmoid,
  [TANH]: Math.tanh,
  [RELU6]: (x) => clip(x, 0, 6),
  [ELU]: elu,
  [SELU]: (x) => SELU_SCALE * elu(x, SELU_ALPHA),
  [HARD_SIGMOID]: (x, alpha) => clip(alpha * x + 0.5, 0, 1),
  [SOFTPLUS]: softplus,
  [SILU]: (x) => x * sigmoid(x),
  [HARD_SWISH]: (x) => (x * clip(x + 3, 0, 6)) / 6,
  [GELU]: (x) => x * normal(x),
  [GELU_TANH]: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  [MISH]: (x) => x * Math.tanh(softplus(x)),
};

export function activation(kind: number, alpha: number, x: number): number {
  return FORMULAS[kind]!(x, alpha);
}

/** An activation that works element by element. */
interface Elementwise {
  readonly name: string;
  readonly kind: Activation;
  readonly code: number;
  readonly alpha: number;
  /** Whether the gradient follows from the input, not from the output. */
  readonly fromInput: boolean;
  /** The most that `y = f(x)` may be off, as the kernel promises it (assembly/elementwise/activation.ts). */
  bound(x: number, y: number): number;
}

const ulps =
  (count: number, subnormal = 0) =>
  (x: number, y: number): number =>
    count * ulp(y) + subnormal * SMALLEST * Math.abs(x);

/** `count` units roundoff of a value. */
const units = (count: number, value: number): number => count * U * Math.max(value, SMALLEST_NORMAL);

function elementwise(
  kind: Activation & string,
  code: number,
  bound: Elementwise["bound"],
  alpha = 0,
): Elementwise {
  return { name: kind, kind, code, alpha: Math.fround(alpha), fromInput: code >= SOFTPLUS, bound };
}

/** All of them, with their errors. */
export const ELEMENTWISE: readonly Elementwise[] = [
  elementwise("linear", LINEAR, ulps(0)),
  elementwise("relu", RELU, ulps(0)),
  elementwise("leakyRelu", LEAKY_RELU, ulps(0.5), 0.2),
  {
    ...elementwise("leakyRelu", LEAKY_RELU, ulps(0.5), 0.5),
    name: "leakyRelu of a slope",
    kind: { leakyRelu: 0.5 },
  },
  elementwise("sigmoid", SIGMOID, ulps(3)),
  elementwise("tanh", TANH, ulps(3)),
  elementwise("relu6", RELU6, ulps(0)),
  elementwise("elu", ELU, ulps(5), 1),
  { ...elementwise("elu", ELU, ulps(5), 0.75), name: "elu of a limit", kind: { elu: 0.75 } },
  elementwise("selu", SELU, ulps(5)),
  elementwise("hardSigmoid", HARD_SIGMOID, (x) => units(2, Math.max(1, Math.abs(x) / 6)), 1 / 6),
  {
    ...elementwise("hardSigmoid", HARD_SIGMOID, (x) => units(2, Math.max(1, Math.abs(x) / 5)), 0.2),
    name: "hardSigmoid of a slope",
    kind: { hardSigmoid: 0.2 },
  },
  elementwise("softplus", SOFTPLUS, ulps(5)),
  elementwise("silu", SILU, (x) => units(3, Math.abs(x))),
  elementwise("swish", SILU, (x) => units(3, Math.abs(x))),
  elementwise("hardSwish", HARD_SWISH, ulps(3)),
  elementwise("gelu", GELU, (x) => units(5, Math.abs(x))),
  elementwise("geluTanh", GELU_TANH, (x) => units(5, Math.abs(x))),
  elementwise("mish", MISH, ulps(7, 4)),
];

/** Softmax of one row. */
export function softmax(row: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(row));
  const terms = Array.from(row, (value) => Math.exp(value - largest));
  const sum = terms.reduce((total, term) => total + term, 0);
  return terms.map((term) => term / sum);
}

/** The rows of a matrix of `cols` columns. */
export function rowsOf(matrix: ArrayLike<number>, cols: number): number[][] {
  const values = Array.from(matrix);
  return Array.from({ length: values.length / cols }, (_, row) => values.slice(row * cols, (row + 1) * cols));
}
