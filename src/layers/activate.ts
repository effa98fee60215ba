import { activationCode, type Activation } from "../kernels/activation.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, GradientContext } from "./contract.ts";
import type { EpilogueKind } from "./epilogue.ts";

/** The activation at the end of a layer: fused into the layer's kernel where that can be, else run in place. */
export interface FusedActivation {
  /** Whether the backward pass reads the layer's output: it does unless the slope follows from the pre-activation. */
  readonly readsOutput: boolean;
  /** The epilogues that the layer's pass can do: all of them when it ends without an activation of its own. */
  readonly fusable: readonly EpilogueKind[];
  /** The activation in a plan, or the epilogue's residual and activation, for an output of `columns`. */
  build(context: BuildContext, columns: number, rowsPerImage: number): ActivationPass;
}

/** The activation of one layer of a plan. `n` counts images. */
export interface ActivationPass {
  /** The buffer that the layer's own kernel writes to, and the activation that it applies. */
  readonly preactivation: Buffer;
  readonly code: number;
  readonly alpha: number;
  /** Finishes what the kernel could not fuse. */
  finish(n: number): void;
  /** The activation, for its gradient. */
  readonly of: { readonly kind: Kind; readonly code: number; readonly alpha: number };
  readonly columns: number;
  readonly rowsPerImage: number;
}

/** The source of the gradient of an activation: nothing, its output, its input, or its rows one by one. */
type Kind = "linear" | "fromOutput" | "fromInput" | "softmax";

const nothing = (): void => {};

/** @throws OptionError unless it is an activation */
export function fuseActivation(where: string, activation: Activation): FusedActivation {
  const { name, code, alpha, fromInput } = activationCode(where, activation);
  const slope = fromInput ? "fromInput" : "fromOutput";
  const kind: Kind = name === "linear" || name === "softmax" ? name : slope;
  return {
    readsOutput: kind === "fromOutput" || kind === "softmax",
    fusable: kind === "linear" ? ["affine", "residual", "activation"] : [],
    build(context, columns, rowsPerImage) {
      const { kernels, capacity, needsGradient, y, saved, epilogue } = context;
      const size = rowsPerImage * columns;
      const pass = { of: { kind, code, alpha }, columns, rowsPerImage };
      const plain = { ...pass, preactivation: y, code: 0, alpha: 0 };
      const { residual, activation: next } = epilogue;
      if (residual) {
        const after = next ?? { code: 0, alpha: 0 };
        const finish = (n: number): void =>
          kernels.addActivated(after.code, after.alpha, y.pointer, residual.pointer, y.pointer, n * size);
        return { ...plain, finish };
      }
      if (next) return { ...plain, code: next.code, alpha: next.alpha, finish: nothing };
      if (kind === "softmax") {
        const finish = (n: number): void =>
          kernels.softmaxForward(y.pointer, y.pointer, n * rowsPerImage, columns);
        return { ...plain, finish };
      }
      if (!needsGradient || kind !== "fromInput") return { ...plain, code, alpha, finish: nothing };
      const preactivation = saved(capacity * size);
      const finish = (n: number): void =>
        kernels.activationForward(code, alpha, preactivation.pointer, y.pointer, n * size);
      return { ...plain, preactivation, finish };
    },
  };
}

/** Turns the gradient of a layer's output into that of its pre-activation, in place. */
export function activationGradient(context: GradientContext, pass: ActivationPass): (n: number) => void {
  const { kernels, y, dy } = context;
  const { of, columns, rowsPerImage, preactivation } = pass;
  const size = rowsPerImage * columns;
  if (of.kind === "linear") return nothing;
  if (of.kind === "softmax") {
    return (n) => kernels.softmaxBackward(y.pointer, dy.pointer, dy.pointer, n * rowsPerImage, columns);
  }
  const read = of.kind === "fromInput" ? preactivation : y;
  return (n) => kernels.activationBackward(of.code, of.alpha, read.pointer, dy.pointer, dy.pointer, n * size);
}
