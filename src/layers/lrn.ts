import type { Heap } from "../runtime/heap.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { finiteNumber, positiveInteger, readOptions, type Settled } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { UNARY } from "../kernels/kernels.ts";

export interface LrnLayerOptions {
  /** The number of channels in each sum: the channel itself and its neighbours on both sides, one more after it if even. */
  size: number;
  /** Default: 0.0001. */
  alpha?: number | undefined;
  /** Default: 0.75. */
  beta?: number | undefined;
  /** Default: 1. */
  bias?: number | undefined;
  name?: string | undefined;
}

type LrnOptions = Settled<Omit<LrnLayerOptions, "name">>;

/** The powers d^beta that are computed by square roots, by beta. */
const POWERS: Readonly<Record<number, (d: number) => number>> = {
  0.5: Math.sqrt,
  0.75: (d) => Math.sqrt(d) * Math.sqrt(Math.sqrt(d)),
  1: (d) => d,
};

/** The numbers of channels before and after a channel that its sum includes. */
type Reach = readonly [before: number, after: number];

/** Calls `each` with the index of an element and `bias + alpha / size · Σ x²` over the channels around it, in float64. */
function eachSum(
  x: Float32Array,
  c: number,
  [before, after]: Reach,
  { size, alpha, bias }: LrnOptions,
  each: (i: number, d: number) => void,
): void {
  const factor = alpha / size;
  for (let pixel = 0; pixel < x.length; pixel += c) {
    for (let channel = 0; channel < c; channel++) {
      const end = pixel + Math.min(c, channel + after + 1);
      let sum = 0;
      for (let i = pixel + Math.max(0, channel - before); i < end; i++) sum += x[i]! * x[i]!;
      each(pixel + channel, bias + factor * sum);
    }
  }
}

/**
 * Replaces the powers `q = d^(−beta)` in `dx` by `dx = dy·q − 2·alpha / size·beta·x·Σ dy·x·q / d`. The sum is over the
 * channels whose own sum includes the element, in ascending order and float64.
 */
function gradient(
  x: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  c: number,
  [before, after]: Reach,
  options: LrnOptions,
): void {
  const factor = (2 * options.alpha * options.beta) / options.size;
  const [powers, parts] = [new Float64Array(c), new Float64Array(c)];
  eachSum(x, c, [before, after], options, (i, d) => {
    const channel = i % c;
    powers[channel] = dx[i]!;
    parts[channel] = (dy[i]! * x[i]! * dx[i]!) / d;
    if (channel < c - 1) return;
    for (let j = 0; j < c; j++) {
      const end = Math.min(c, j + before + 1);
      let sum = 0;
      for (let k = Math.max(0, j - after); k < end; k++) sum += parts[k]!;
      const at = i - channel + j;
      dx[at] = dy[at]! * powers[j]! - factor * x[at]! * sum;
    }
  });
}

interface Normalization {
  readonly options: LrnOptions;
  readonly reach: Reach;
  /** Computes `d^beta` when square roots can. */
  readonly power: ((d: number) => number) | undefined;
}

const viewOf = (heap: Heap, { pointer }: Buffer, length: number): Float32Array =>
  heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + length);

/** Writes `d^(−beta)` of `length` elements of x to `to`. */
function powersInto(
  { heap, kernels, output, x }: BuildContext,
  to: Buffer,
  length: number,
  { options, reach }: Normalization,
): void {
  const values = viewOf(heap, to, length);
  eachSum(viewOf(heap, x, length), output.at(-1)!, reach, options, (i, d) => {
    values[i] = d;
  });
  kernels.unaryForward(UNARY.log, 0, 0, to.pointer, to.pointer, length);
  for (let i = 0; i < length; i++) values[i]! *= -options.beta;
  kernels.unaryForward(UNARY.exp, 0, 0, to.pointer, to.pointer, length);
}

/**
 * Local response normalization (Krizhevsky et al. 2012): `y = x / (bias + alpha / size · Σ x²)^beta`, where the sum is over
 * the neighbouring channels and channels are the last axis.
 *
 * For a beta of 0.5, 0.75 and 1 the power is computed by square roots in float64, with an error below 0.51 ULP. Any other
 * power is `e^(−beta·ln d)` by the kernels, with a relative error of at most (1.5 + beta/2 + beta·|ln d|)·2⁻²³.
 * @throws OptionError naming the option, the expected and the given.
 */
export function lrn(options: LrnLayerOptions): Layer {
  const config = readOptions("lrn", options, {
    size: positiveInteger,
    alpha: [finiteNumber, 1e-4],
    beta: [finiteNumber, 0.75],
    bias: [finiteNumber, 1],
  });
  const { size, beta } = config;
  const before = Math.floor((size - 1) / 2);
  const reach = [before, size - 1 - before] as const;
  const power = POWERS[beta];
  const normalization = { options: config, reach, power };
  return layerOf({
    type: "lrn",
    name: options.name,
    config,
    backwardReads: { x: true },
    build(context): Pass<Normalization> {
      const { heap, kernels, output, x, y } = context;
      const [elements, c] = [sizeOf(output), output.at(-1)!];
      const forward = (n: number): void => {
        const [from, to] = [viewOf(heap, x, n * elements), viewOf(heap, y, n * elements)];
        if (power) {
          eachSum(from, c, reach, config, (i, d) => {
            to[i] = from[i]! / power(d);
          });
          return;
        }
        powersInto(context, y, n * elements, normalization);
        kernels.multiplyForward(x.pointer, y.pointer, y.pointer, to.length);
      };
      return { forward, state: normalization };
    },
  });
}

/** The formula is stated at `gradient`. */
export const lrnGradient: Gradient<Normalization> = (context, normalization) => {
  const { heap, output, x, dy } = context;
  const dx = context.dx!;
  const { options, reach, power } = normalization;
  const [elements, c] = [sizeOf(output), output.at(-1)!];
  return (n) => {
    const [from, to] = [viewOf(heap, x, n * elements), viewOf(heap, dx, n * elements)];
    if (power) {
      eachSum(from, c, reach, options, (i, d) => {
        to[i] = 1 / power(d);
      });
    } else powersInto(context, dx, n * elements, normalization);
    gradient(from, viewOf(heap, dy, n * elements), to, c, reach, options);
  };
};
