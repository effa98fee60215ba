/** Layers of noise in training, which do nothing in inference. Their random numbers follow from keys, and are never stored. */
import { numberIn, readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { imageOf } from "../kernels/window.ts";
import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

/** The part of a context that noise is made from, forward and backward. */
type NoiseContext = Pick<BuildContext, "kernels" | "output" | "randomKey">;

/** Writes noise on the values of one buffer to another. */
type Noise = (context: NoiseContext, from: Buffer, to: Buffer) => (n: number) => void;

/** The options of these layers. */
interface RateOptions {
  rate: number;
  name?: string | undefined;
}

const readRate = (where: string, value: unknown): number => numberIn(where, value, 0, 1);
const readDeviation = (where: string, value: unknown): number => numberIn(where, value, 0);

/** Makes a layer of noise; `amount` is 0 for none. `backward` makes the gradient from that of the output. */
function noisy(
  type: string,
  name: string | undefined,
  config: object,
  amount: number,
  forward: Noise,
  backward: Noise,
): Layer {
  return layerOf({
    type,
    name,
    config,
    isView: (training) => !training || amount === 0,
    ...(type === "spatialDropout2d" && {
      outputShape: (inputs, where) => imageOf(where, onlyInput(inputs, where)),
    }),
    build: (context): Pass<Noise> => ({ forward: forward(context, context.x, context.y), state: backward }),
  });
}

/** The gradient of each element is that of the output, with the noise that multiplied it; the key gives that again. */
export const noiseGradient: Gradient<Noise> = (context, backward) =>
  backward(context, context.dy, context.dx!);

/**
 * Keeps elements with probability 1 − rate, as `scale·x + shift`, and makes the others `dropped`; those of the same place
 * in all rows of `columns` elements alike.
 */
function dropping(rate: number, scale: number, shift = -0, dropped = 0, byChannel = false): Noise {
  const keepBelow = Math.min(Math.round((1 - rate) * 2 ** 32), 2 ** 32 - 1);
  return ({ kernels, output, randomKey: { batch, layer } }, from, to) => {
    const size = byChannel ? output.at(-1)! : sizeOf(output);
    const rows = sizeOf(output) / size;
    return (n) => {
      const { seedLow, seedHigh, step, firstImage } = batch;
      const [a, b] = [from.pointer, to.pointer];
      const key = [seedLow, seedHigh, step, layer, firstImage] as const;
      kernels.dropout(a, b, n, rows, size, keepBelow, scale, shift, dropped, ...key);
    };
  };
}

/**
 * Dropout: training sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); inference does
 * nothing. The choice depends on the model's seed, the step, the layer, the image's index in its batch and the element
 * alone.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function dropout(options: RateOptions): Layer {
  const config = readOptions("dropout", options, { rate: readRate });
  const { rate } = config;
  const drop = dropping(rate, Math.fround(1 / (1 - rate)));
  return noisy("dropout", options.name, config, rate, drop, drop);
}

/**
 * Dropout of whole channels of an image (Tompson et al. 2015): training sets each channel of each image `[h, w, c]` to 0
 * with probability `rate` and scales the others by 1/(1 − rate); inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1; ShapeError for what is no image.
 */
export function spatialDropout2d(options: RateOptions): Layer {
  const config = readOptions("spatialDropout2d", options, { rate: readRate });
  const { rate } = config;
  const drop = dropping(rate, Math.fround(1 / (1 - rate)), -0, 0, true);
  return noisy("spatialDropout2d", options.name, config, rate, drop, drop);
}

/** What SELU tends to for x → −∞: −scale·alpha of the activation. */
const SELU_LOWEST = -1.7580993408473766;

/**
 * Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017), for nets of SELU: training sets each element to
 * α = −1.758 with probability `rate`, then computes `a·x + b` with `a = ((1 − rate)·(1 + rate·α²))^−½` and `b = −a·α·rate`;
 * inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function alphaDropout(options: RateOptions): Layer {
  const config = readOptions("alphaDropout", options, { rate: readRate });
  const { rate } = config;
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_LOWEST * SELU_LOWEST));
  const b = -a * SELU_LOWEST * rate;
  const forward = dropping(rate, Math.fround(a), b, a * SELU_LOWEST + b);
  return noisy("alphaDropout", options.name, config, rate, forward, dropping(rate, Math.fround(a)));
}

/** Noise with this standard deviation, added to values or multiplied with them as 1 + noise. */
function gaussian(deviation: number, multiplied: boolean): Noise {
  return ({ kernels, output, randomKey: { batch, layer } }, from, to) => {
    const size = sizeOf(output);
    return (n) => {
      const { seedLow, seedHigh, step, firstImage } = batch;
      const [a, b] = [from.pointer, to.pointer];
      const key = [seedLow, seedHigh, step, layer, firstImage] as const;
      kernels.gaussianNoise(multiplied, deviation, a, b, n, size, ...key);
    };
  };
}

const unchanged: Noise = ({ kernels, output }, from, to) => {
  const size = sizeOf(output);
  return (n) => kernels.copyRows(n, size, from.pointer, size, to.pointer, size);
};

/**
 * Training multiplies each element by a normally distributed number of mean 1 and standard deviation √(rate / (1 − rate));
 * inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function gaussianDropout(options: RateOptions): Layer {
  const config = readOptions("gaussianDropout", options, { rate: readRate });
  const noise = gaussian(Math.fround(Math.sqrt(config.rate / (1 - config.rate))), true);
  return noisy("gaussianDropout", options.name, config, config.rate, noise, noise);
}

/**
 * Training adds a normally distributed number of mean 0 and standard deviation `stddev` to each element; inference does
 * nothing.
 * @throws OptionError unless stddev ≥ 0.
 */
export function gaussianNoise(options: { stddev: number; name?: string | undefined }): Layer {
  const config = readOptions("gaussianNoise", options, { stddev: readDeviation });
  const noise = gaussian(config.stddev, false);
  return noisy("gaussianNoise", options.name, config, config.stddev, noise, unchanged);
}
