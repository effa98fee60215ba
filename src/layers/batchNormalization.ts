import { OptionError } from "../errors.ts";
import { checkOptions, numberIn } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import type { Affine } from "./epilogue.ts";
import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Layer, type Pass } from "./contract.ts";
import {
  affineOf,
  affineWeights,
  checkSettings,
  NORMALIZATION_KEYS,
  normalizationPass,
  type Cut,
  type NormalizationOptions,
  type Settings,
} from "./normalization.ts";
import { layerOf } from "./symbolic.ts";

export interface BatchNormalizationOptions extends NormalizationOptions {
  /** Share of the old moving mean and variance that stays in a step. Default: 0.99. */
  momentum?: number;
}

/**
 * Batch normalization (Ioffe & Szegedy 2015): `y = gamma·(x − mean) / √(variance + epsilon) + beta` a channel.
 *
 * In training mean and variance are the batch's, over images and pixels, and the moving ones follow them:
 * `moving = momentum·moving + (1 − momentum)·batch`, where the variance counts m / (m − 1) times for m values, as in
 * PyTorch, whose `momentum` is 1 − this one. In inference, and where `trainable` is false, they are the moving ones. In
 * inference after a convolution or dense layer that has no activation and no other reader it is folded into that layer's
 * weights, which changes last bits; not after conv2dTranspose and separableConv2d.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  checkOptions("batchNormalization", options, [...NORMALIZATION_KEYS, "momentum"]);
  const settings = checkSettings("batchNormalization", options);
  const momentum = numberIn("batchNormalization: momentum", options.momentum ?? 0.99, 0);
  if (momentum > 1) {
    throw new OptionError(`batchNormalization: momentum: expected a number from 0 to 1, got ${momentum}`);
  }
  return layerOf({
    type: "batchNormalization",
    name: options.name,
    config: { momentum, ...settings },
    asEpilogue: { kind: "affine", of: (weights) => movingAffine(settings, weights) },
    backwardReads: { x: true },
    overwrites: [0],
    weights(inputs) {
      const shape = [onlyInput(inputs).at(-1)!];
      return [
        ...affineWeights(settings, shape),
        { name: "movingMean", shape, initializer: "zeros", trainable: false },
        { name: "movingVariance", shape, initializer: "ones", trainable: false },
      ];
    },
    build: (context) => batchPass(context, settings, momentum),
  });
}

/** Normalization by the moving statistics, as a layer before it can do it. */
function movingAffine(settings: Settings, weights: readonly Buffer[]): Affine {
  const [mean, variance] = weights.slice(-2) as [Buffer, Buffer];
  return { mean, variance, epsilon: settings.epsilon, ...affineOf(settings, weights) };
}

function batchPass(context: BuildContext, settings: Settings, momentum: number): Pass {
  const { kernels } = context;
  const input = onlyInput(context.inputs);
  const c = input.at(-1)!;
  const rows = (n: number): number => (n * sizeOf(input)) / c;
  const cut: Cut = { c, groups: c, images: () => 1, rows };
  const [movingMean, movingVariance] = context.weights.slice(-2) as [Buffer, Buffer];
  if (!context.training) {
    return normalizationPass(context, settings, cut, {
      mean: movingMean,
      variance: movingVariance,
      fixed: true,
    });
  }
  // Until the update, which is behind the last backward pass.
  const [mean, variance] = [context.kept(c), context.kept(c)];
  const update = (n: number, commit: boolean): boolean => {
    const m = rows(n);
    const bessel = m > 1 ? m / (m - 1) : 1;
    const follow = (moving: Buffer, batch: Buffer, factor: number): boolean =>
      kernels.movingAverage(moving.pointer, batch.pointer, c, momentum, factor, commit) !== 0;
    const meanIsFinite = follow(movingMean, mean, 1);
    return follow(movingVariance, variance, bessel) && meanIsFinite;
  };
  return { ...normalizationPass(context, settings, cut, { mean, variance, fixed: false }), update };
}
