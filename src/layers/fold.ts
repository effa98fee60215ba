import type { Buffer } from "./buffer.ts";
import type { BuildContext } from "./contract.ts";

/** The weights of a layer as its kernel reads them. */
export interface FoldedWeights {
  readonly kernel: Buffer;
  readonly bias: Buffer | undefined;
  /** Makes them, after the layer's own changed. */
  fold(): void;
}

/**
 * The kernel, whose last axis is that of the `f` outputs, and the bias of a layer, with batch normalization after it
 * folded into them. With `passing` the kernel is needed while the pass prepares itself and no longer.
 */
export function foldWeights(context: BuildContext, size: number, f: number, passing: boolean): FoldedWeights {
  const { kernels, weights, epilogue } = context;
  const [w, b] = weights as [Buffer, Buffer | undefined];
  const { affine } = epilogue;
  if (!affine) return { kernel: w, bias: b, fold: () => {} };
  const kernel = passing ? context.workspace(size) : context.kept(size);
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
