import { activationCode, type Activation } from "../kernels/activation.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Epilogue, Takes } from "./epilogue.ts";
import type { Buffer, BuildContext } from "./layer.ts";

/** The activation at the end of a layer: fused into the layer's kernel where that can be, else run in place. */
export interface FusedActivation {
  /** What the backward pass reads, besides the layer's own input: the output, unless the slope follows from the sum. */
  readonly readsOutput: boolean;
  /** What the layer's pass can do of those after it: everything when it ends without an activation of its own. */
  readonly takes: Takes;
  /** The activation in a plan, or the epilogue's sum and activation, for an output of `columns`. */
  build(context: BuildContext, columns: number, rowsPerImage: number): ActivationPass;
}

/** The activation of one layer of a plan. `n` counts images. */
export interface ActivationPass {
  /** Where the layer's own kernel writes, and the activation that it is told. */
  readonly sum: Buffer;
  readonly code: number;
  readonly alpha: number;
  /** Finishes what the kernel could not fuse. */
  finish(n: number): void;
  /** Turns the gradient of the output into that of the layer's sum, in place. */
  backward(n: number): void;
}

/** @throws OptionError unless it is an activation */
export function fuseActivation(where: string, activation: Activation): FusedActivation {
  const { name, code, alpha, fromInput } = activationCode(where, activation);
  const linear = name === "linear";
  const softmax = name === "softmax";
  return {
    readsOutput: !linear && !fromInput,
    takes: linear ? ["affine", "sum", "activation"] : [],
    build(context, columns, rowsPerImage) {
      const { kernels, capacity, backward: goesBack, y, dy, saved, epilogue } = context;
      const size = rowsPerImage * columns;
      if (epilogue.sum || epilogue.activation) return epiloguePass(kernels, y, epilogue, size);
      if (softmax) return softmaxPass(kernels, y, dy, rowsPerImage, columns);
      if (!goesBack || !fromInput) {
        const backward = (n: number): void => {
          if (!linear) kernels.activationBackward(code, alpha, y.pointer, dy.pointer, dy.pointer, n * size);
        };
        return { sum: y, code, alpha, finish: () => {}, backward };
      }
      const sum = saved(capacity * size);
      return {
        sum,
        code: 0,
        alpha: 0,
        finish: (n) => kernels.activationForward(code, alpha, sum.pointer, y.pointer, n * size),
        backward: (n) =>
          kernels.activationBackward(code, alpha, sum.pointer, dy.pointer, dy.pointer, n * size),
      };
    },
  };
}

/** A sum is added to the output where it lies, with the activation after it; an activation alone is the kernel's. */
function epiloguePass(
  kernels: Kernels,
  y: Buffer,
  { sum: other, activation }: Epilogue,
  size: number,
): ActivationPass {
  const { code, alpha } = activation ?? { code: 0, alpha: 0 };
  const backward = (): void => {};
  if (!other) return { sum: y, code, alpha, finish: () => {}, backward };
  const finish = (n: number): void =>
    kernels.addActivated(code, alpha, y.pointer, other.pointer, y.pointer, n * size);
  return { sum: y, code: 0, alpha: 0, finish, backward };
}

function softmaxPass(kernels: Kernels, y: Buffer, dy: Buffer, rows: number, columns: number): ActivationPass {
  return {
    sum: y,
    code: 0,
    alpha: 0,
    finish: (n) => kernels.softmaxForward(y.pointer, y.pointer, n * rows, columns),
    backward: (n) => kernels.softmaxBackward(y.pointer, dy.pointer, dy.pointer, n * rows, columns),
  };
}
