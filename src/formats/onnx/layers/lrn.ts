import { onlyInput, type Layer } from "../../../layers/layer.ts";
import { defineLayer } from "../../../layers/symbolic.ts";
import { sizeOf } from "../../../tensor.ts";
import { UNARY } from "./kinds.ts";

export interface LrnOptions {
  /** Channels that are summed up: one, and half of the others on each side, the odd one behind. */
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/** Powers that square roots make. */
const POWERS: Readonly<Record<number, (d: number) => number>> = {
  0.5: Math.sqrt,
  0.75: (d) => Math.sqrt(d) * Math.sqrt(Math.sqrt(d)),
  1: (d) => d,
};

/** Channels that the sum for one takes in, `[first, end)` around it. */
type Reach = readonly [before: number, after: number];

/** Calls `each` with the place of an element and `bias + alpha / size · Σ x²` over the channels around it, in float64. */
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
 * Local response normalization (Krizhevsky et al. 2012) of what has its channels last:
 * `y = x / (bias + alpha / size · Σ x²)^beta`, the sum over the channels around.
 *
 * For a beta of 0.5, 0.75 and 1 the power is made of square roots in float64, and the error is below 0.51 ULP. Any other
 * is `e^(−beta·ln d)` by the kernels, with a relative error of at most (1.5 + beta/2 + beta·|ln d|)·2⁻²³.
 */
export function lrnLayer(options: LrnOptions): Layer {
  const { size, beta } = options;
  const before = Math.floor((size - 1) / 2);
  const reach = [before, size - 1 - before] as const;
  const power = POWERS[beta];
  return defineLayer({
    type: "onnx.LRN",
    config: {},
    differentiable: false,
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights: () => [],
    build({ heap, kernels, output, x, y }) {
      const [elements, c] = [sizeOf(output), output.at(-1)!];
      return {
        forward(n) {
          const count = n * elements;
          const view = (pointer: number): Float32Array =>
            heap.floats.subarray(pointer >>> 2, (pointer >>> 2) + count);
          const [from, to] = [view(x.pointer), view(y.pointer)];
          if (power) {
            eachSum(from, c, reach, options, (i, d) => {
              to[i] = from[i]! / power(d);
            });
            return;
          }
          eachSum(from, c, reach, options, (i, d) => {
            to[i] = d;
          });
          kernels.unaryForward(UNARY.log, 0, 0, y.pointer, y.pointer, count);
          for (let i = 0; i < count; i++) to[i]! *= -beta;
          kernels.unaryForward(UNARY.exp, 0, 0, y.pointer, y.pointer, count);
          kernels.multiplyForward(x.pointer, y.pointer, y.pointer, count);
        },
      };
    },
  });
}
