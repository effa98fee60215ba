import type { Buffer } from "./buffer.ts";
import type { BuildContext } from "./contract.ts";

/** The weights of a layer in the form that its kernel reads. */
export interface FoldedWeights {
  readonly kernel: Buffer;
  readonly bias: Buffer | undefined;
  /** Computes them again; it runs after the layer's own weights changed. */
  prepare(): void;
}

/** The layout in which a kernel reads its weights. */
export interface Packing {
  /** A name that distinguishes the layout from others of the same weights. */
  readonly layout: string;
  /** The number of its floats; 0 when the kernel reads the weights as they are. */
  readonly size: number;
  pack(from: number, to: number): void;
}

const AS_IT_IS: Packing = { layout: "", size: 0, pack: () => {} };

/** Rounds the floats of a bias up to whole cache lines, so that the kernel after it is aligned. */
const padded = (size: number): number => Math.ceil(size / 16) * 16;

/**
 * The kernel of `size` floats, whose last axis is that of the `f` outputs, and the bias of a layer, with batch
 * normalization after it folded into them, and the kernel packed.
 */
export function foldWeights(
  context: BuildContext,
  size: number,
  f: number,
  packing: Packing = AS_IT_IS,
): FoldedWeights {
  const { weights, epilogue, needsGradient } = context;
  const [w, b] = weights as [Buffer, Buffer | undefined];
  const { affine } = epilogue;
  const packs = packing.size > 0;
  if (!affine) {
    if (!packs) return { kernel: w, bias: b, prepare: () => {} };
    const pack = ({ pointer }: Buffer): void => packing.pack(w.pointer, pointer);
    if (!needsGradient) {
      const { buffer, prepare } = context.laidOut([w], packing.layout, packing.size, pack);
      return { kernel: buffer, bias: b, prepare };
    }
    const kernel = context.workspace(packing.size);
    return { kernel, bias: b, prepare: () => pack(kernel) };
  }
  const { mean, variance, epsilon, gamma, beta } = affine;
  const folded = packs ? context.workspace(size) : undefined;
  const first = padded(f);
  const made = (bias: Buffer): void => {
    const kernel = bias.pointer + 4 * first;
    const to = folded?.pointer ?? kernel;
    context.kernels.foldNormalization(
      size / f,
      f,
      w.pointer,
      b?.pointer ?? 0,
      mean.pointer,
      variance.pointer,
      epsilon,
      gamma?.pointer ?? 0,
      beta?.pointer ?? 0,
      to,
      bias.pointer,
    );
    if (folded) packing.pack(to, kernel);
  };
  const sources = [w, b, mean, variance, gamma, beta].filter((source) => source !== undefined);
  const layout = `folded ${epsilon} ${packing.layout}`;
  const { buffer, prepare } = context.laidOut(sources, layout, first + (packs ? packing.size : size), made);
  const kernel = { pointer: buffer.pointer + 4 * first, dtype: buffer.dtype };
  return { kernel, bias: buffer, prepare };
}
