import type { Buffer } from "./buffer.ts";
import type { BuildContext } from "./contract.ts";

/** The weights of a layer in the form that its kernel reads. */
export interface FoldedWeights {
  readonly kernel: Buffer;
  readonly bias: Buffer | undefined;
  /** Computes them again; it runs after the layer's own weights changed. */
  fold(): void;
}

/**
 * The kernel, whose last axis has the `f` outputs, and the bias of a layer, with the batch normalization after the layer
 * folded into them. `temporary` is true when only `prepare` reads the kernel, which then needs no memory afterwards.
 */
export function foldWeights(
  context: BuildContext,
  size: number,
  f: number,
  temporary: boolean,
): FoldedWeights {
  const { kernels, weights, epilogue } = context;
  const [w, b] = weights as [Buffer, Buffer | undefined];
  const { affine } = epilogue;
  if (!affine) return { kernel: w, bias: b, fold: () => {} };
  const kernel = temporary ? context.workspace(size) : context.kept(size);
  const bias = context.kept(f);
  const { mean, variance, epsilon, gamma, beta } = affine;
  const fold = (): void =>
    kernels.foldNormalization(
      size / f,
      f,
      w.pointer,
      b?.pointer ?? 0,
      mean.pointer,
      variance.pointer,
      epsilon,
      gamma?.pointer ?? 0,
      beta?.pointer ?? 0,
      kernel.pointer,
      bias.pointer,
    );
  return { kernel, bias, fold };
}
