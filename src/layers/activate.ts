import { activationCode, type Activation } from "../engine/activation.ts";
import type { Kernels } from "../engine/kernels.ts";

/** The activation at the end of a layer: fused into the layer's kernel where that can be, else run in place. */
export interface FusedActivation {
  /** What the layer's own kernel is told. */
  readonly code: number;
  readonly alpha: number;
  /** True when there is nothing to do on the way back. */
  readonly linear: boolean;
  /** Finishes what the kernel could not fuse. `y` is `[rows, columns]`. */
  finish(kernels: Kernels, y: number, rows: number, columns: number): void;
  /** Turns the gradient of the output into that of the layer's sum, in place. */
  backward(kernels: Kernels, y: number, dy: number, rows: number, columns: number): void;
}

export function fuseActivation(where: string, activation: Activation): FusedActivation {
  const { name, code, alpha } = activationCode(where, activation);
  if (name === "softmax") {
    return {
      code: 0,
      alpha: 0,
      linear: false,
      finish: (kernels, y, rows, columns) => kernels.softmaxForward(y, y, rows, columns),
      backward: (kernels, y, dy, rows, columns) => kernels.softmaxBackward(y, dy, dy, rows, columns),
    };
  }
  return {
    code,
    alpha,
    linear: name === "linear",
    finish: () => {},
    backward: (kernels, y, dy, rows, columns) => {
      if (name !== "linear") kernels.activationBackward(code, alpha, y, dy, dy, rows * columns);
    },
  };
}
