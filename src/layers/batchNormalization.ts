import { OptionError } from "../errors.ts";
import { numberIn, readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import type { Affine } from "./epilogue.ts";
import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Layer, type TrainingPass } from "./contract.ts";
import {
  affineOf,
  affineWeights,
  NORMALIZATION,
  normalizationPass,
  type Cut,
  type NormalizationOptions,
  type Settings,
} from "./normalization.ts";
import { layerOf } from "./symbolic.ts";

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** The share of the moving mean and variance that a step keeps. Default: 0.99. */
  momentum?: number | undefined;
}

function readMomentum(where: string, value: unknown): number {
  const momentum = numberIn(where, value, 0);
  if (momentum <= 1) return momentum;
  throw new OptionError(`${where}: expected a number from 0 to 1, got ${momentum}`);
}

/**
 * Batch normalization (Ioffe & Szegedy 2015): `y = gamma·(x − mean) / √(variance + epsilon) + beta` for each channel.
 *
 * Training uses the mean and variance of the batch, over images and pixels, and updates the moving ones:
 * `moving = momentum·moving + (1 − momentum)·batch`, where the variance of m values is multiplied by m / (m − 1), as in
 * PyTorch, whose `momentum` is 1 − this one. Inference, and training with `trainable` false, use the moving ones. When the
 * layer follows a convolution or dense layer without activation whose output nothing else reads, inference folds it into
 * that layer's weights, which changes last bits. It is not folded into conv2dTranspose and separableConv2d.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const config = readOptions("batchNormalization", options, {
    momentum: [readMomentum, 0.99],
    ...NORMALIZATION,
  });
  return layerOf({
    type: "batchNormalization",
    name: options.name,
    config,
    asEpilogue: { kind: "affine", of: (weights) => movingAffine(config, weights) },
    backwardReads: { x: true },
    overwrites: [0],
    weights(inputs) {
      const shape = [onlyInput(inputs).at(-1)!];
      return [
        ...affineWeights(config, shape),
        { name: "movingMean", shape, initializer: "zeros", trainable: false },
        { name: "movingVariance", shape, initializer: "ones", trainable: false },
      ];
    },
    hasTrainingPass: true,
    build(context) {
      const [mean, variance] = movingOf(context.weights);
      return normalizationPass(context, config, cutOf(context), { mean, variance, fixed: true });
    },
  });
}

/** Normalization by the moving statistics, in the form that the layer before it can compute. */
function movingAffine(settings: Settings, weights: readonly Buffer[]): Affine {
  const [mean, variance] = movingOf(weights);
  return { mean, variance, epsilon: settings.epsilon, ...affineOf(settings, weights) };
}

/** The sets of numbers that have a mean and a variance each: those of a channel. */
function cutOf({ inputs }: BuildContext): Cut {
  const input = onlyInput(inputs);
  const c = input.at(-1)!;
  return { c, groups: c, images: () => 1, rows: (n) => (n * sizeOf(input)) / c };
}

/** The moving statistics. */
const movingOf = (weights: readonly Buffer[]) => weights.slice(-2) as [mean: Buffer, variance: Buffer];

/** Normalization by the statistics of the batch, which the moving ones follow. */
export const batchNormalizationPass: TrainingPass<Settings & { readonly momentum: number }> = (
  context,
  config,
) => {
  if (!context.training) return undefined;
  const { kernels } = context;
  const cut = cutOf(context);
  const { c, rows } = cut;
  const [movingMean, movingVariance] = movingOf(context.weights);
  // They are kept until the update, which runs after the last backward pass.
  const [mean, variance] = [context.kept(c), context.kept(c)];
  const update = (n: number, commit: boolean): boolean => {
    const m = rows(n);
    const bessel = m > 1 ? m / (m - 1) : 1;
    const follow = (moving: Buffer, batch: Buffer, factor: number): boolean =>
      kernels.movingAverage(moving.pointer, batch.pointer, c, config.momentum, factor, commit) !== 0;
    const meanIsFinite = follow(movingMean, mean, 1);
    return follow(movingVariance, variance, bessel) && meanIsFinite;
  };
  return { ...normalizationPass(context, config, cut, { mean, variance, fixed: false }), update };
};
