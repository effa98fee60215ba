/** Layers of noise in training, which do nothing in inference. Their random numbers follow from keys, and are never stored. */
import { numberIn, readOptions, type Readers } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { imageOf } from "../kernels/window.ts";
import type { Buffer } from "./buffer.ts";
import {
  noPass,
  onlyInput,
  type BuildContext,
  type Gradient,
  type Layer,
  type LayerDefinition,
  type Pass,
  type TrainingPass,
} from "./contract.ts";
import { layerOf } from "./symbolic.ts";

/** The options of these layers. */
interface RateOptions {
  rate: number;
  name?: string | undefined;
}

interface DeviationOptions {
  stddev: number;
  name?: string | undefined;
}

const RATE = { rate: (where: string, value: unknown) => numberIn(where, value, 0, 1) };
const DEVIATION = { stddev: (where: string, value: unknown) => numberIn(where, value, 0) };

/** Makes a layer of noise from its only option, which is 0 for none. */
function noisy<Options extends { name?: string | undefined }>(
  type: string,
  options: Options,
  reader: Readers<Options>,
  outputShape?: LayerDefinition["outputShape"],
): Layer {
  const config = readOptions(type, options, reader);
  return layerOf({
    type,
    name: options.name,
    config,
    hasTrainingPass: true,
    isView: (training) => !training || Object.values(config)[0] === 0,
    ...(outputShape && { outputShape }),
    build: noPass,
  });
}

/**
 * Dropout: training sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); inference does
 * nothing. The choice depends on the model's seed, the step, the layer, the image's index in its batch and the element
 * alone.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function dropout(options: RateOptions): Layer {
  return noisy("dropout", options, RATE);
}

/**
 * Dropout of whole channels of an image (Tompson et al. 2015): training sets each channel of each image `[h, w, c]` to 0
 * with probability `rate` and scales the others by 1/(1 − rate); inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1; ShapeError for what is no image.
 */
export function spatialDropout2d(options: RateOptions): Layer {
  return noisy("spatialDropout2d", options, RATE, (inputs, where) =>
    imageOf(where, onlyInput(inputs, where)),
  );
}

/**
 * Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017), for nets of SELU: training sets each element to
 * α = −1.758 with probability `rate`, then computes `a·x + b` with `a = ((1 − rate)·(1 + rate·α²))^−½` and `b = −a·α·rate`;
 * inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function alphaDropout(options: RateOptions): Layer {
  return noisy("alphaDropout", options, RATE);
}

/**
 * Training multiplies each element by a normally distributed number of mean 1 and standard deviation √(rate / (1 − rate));
 * inference does nothing.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function gaussianDropout(options: RateOptions): Layer {
  return noisy("gaussianDropout", options, RATE);
}

/**
 * Training adds a normally distributed number of mean 0 and standard deviation `stddev` to each element; inference does
 * nothing.
 * @throws OptionError unless stddev ≥ 0.
 */
export function gaussianNoise(options: DeviationOptions): Layer {
  return noisy("gaussianNoise", options, DEVIATION);
}

/** The part of a context that noise is made from, forward and backward. */
type NoiseContext = Pick<BuildContext, "kernels" | "output" | "randomKey">;

/** Writes noise on the values of one buffer to another. */
type Noise = (context: NoiseContext, from: Buffer, to: Buffer) => (n: number) => void;

/** The pass of training; `backward` makes the gradient from that of the output. */
const noisePass = (context: BuildContext, forward: Noise, backward = forward): Pass<Noise> => ({
  forward: forward(context, context.x, context.y),
  state: backward,
});

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

/** What SELU tends to for x → −∞: −scale·alpha of the activation. */
const SELU_LOWEST = -1.7580993408473766;

export const dropoutPass: TrainingPass<RateOptions> = (context, { rate }) =>
  noisePass(context, dropping(rate, Math.fround(1 / (1 - rate))));

export const spatialDropout2dPass: TrainingPass<RateOptions> = (context, { rate }) =>
  noisePass(context, dropping(rate, Math.fround(1 / (1 - rate)), -0, 0, true));

export const alphaDropoutPass: TrainingPass<RateOptions> = (context, { rate }) => {
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_LOWEST * SELU_LOWEST));
  const b = -a * SELU_LOWEST * rate;
  const forward = dropping(rate, Math.fround(a), b, a * SELU_LOWEST + b);
  return noisePass(context, forward, dropping(rate, Math.fround(a)));
};

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

export const gaussianDropoutPass: TrainingPass<RateOptions> = (context, { rate }) =>
  noisePass(context, gaussian(Math.fround(Math.sqrt(rate / (1 - rate))), true));

export const gaussianNoisePass: TrainingPass<DeviationOptions> = (context, { stddev }) =>
  noisePass(context, gaussian(stddev, false), unchanged);
