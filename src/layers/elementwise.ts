import {
  activationCode,
  copyActivation,
  type Activation,
  type ActivationCode,
} from "../kernels/activation.ts";
import { numberIn, readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";

import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";

/** Turns an image into one row of numbers, `[h, w, c]` → `[h·w·c]`. Nothing is copied. */
export function flatten(options: { name?: string | undefined } = {}): Layer {
  const config = readOptions("flatten", options, {});
  return layerOf({
    type: "flatten",
    outputType: typeOfInputs,
    name: options.name,
    config,
    isView: () => true,
    outputShape: (inputs, where) => [sizeOf(onlyInput(inputs, where))],
    build: () => ({ forward: () => {} }),
  });
}

/**
 * A layer that applies an activation and nothing else.
 * @throws OptionError unless `activation` is an activation.
 */
export function activation(options: { activation: Activation; name?: string | undefined }): Layer {
  const config = readOptions("activation", options, { activation: copyActivation });
  const coded = activationCode("activation", config.activation);
  const { name: kind, code, alpha, fromInput } = coded;
  return layerOf({
    type: "activation",
    name: options.name,
    config,
    backwardReads: { x: fromInput, y: !fromInput },
    overwrites: [0],
    ...(kind !== "linear" && kind !== "softmax" && { asEpilogue: { kind: "activation", activation: coded } }),
    ...(kind === "linear" && { outputType: typeOfInputs }),
    isView: () => kind === "linear",
    build({ kernels, output, x, y }): Pass<ActivationCode> {
      const size = sizeOf(output);
      const columns = output.at(-1)!;
      const forward =
        kind === "softmax"
          ? (n: number): void => kernels.softmaxForward(x.pointer, y.pointer, (n * size) / columns, columns)
          : (n: number): void => kernels.activationForward(code, alpha, x.pointer, y.pointer, n * size);
      return { forward, state: coded };
    },
  });
}

/** `dx = dy·act′`; the slope act′ is computed from the input or from the output, depending on the activation. */
export const elementwiseActivationGradient: Gradient<ActivationCode> = (context, coded) => {
  const { kernels, output, x, y, dx, dy } = context;
  const { name, code, alpha, fromInput } = coded;
  const size = sizeOf(output);
  const columns = output.at(-1)!;
  if (name === "softmax") {
    return (n) => kernels.softmaxBackward(y.pointer, dy.pointer, dx!.pointer, (n * size) / columns, columns);
  }
  const read = fromInput ? x : y;
  return (n) => kernels.activationBackward(code, alpha, read.pointer, dy.pointer, dx!.pointer, n * size);
};

const readRate = (where: string, value: unknown): number => numberIn(where, value, 0, 1);

/**
 * Dropout: training sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); inference does
 * nothing. The choice depends on the model's seed, the step, the layer, the image's index in its batch and the element
 * alone.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function dropout(options: { rate: number; name?: string | undefined }): Layer {
  const config = readOptions("dropout", options, { rate: readRate });
  const { rate } = config;
  const keepBelow = Math.min(Math.round((1 - rate) * 2 ** 32), 2 ** 32 - 1);
  const scale = Math.fround(1 / (1 - rate));
  return layerOf({
    type: "dropout",
    name: options.name,
    config,
    isView: (training) => !training || rate === 0,
    build({ kernels, output, x, y, randomKey }): Pass<DropoutState> {
      const state = { keepBelow, scale };
      return { forward: dropping({ kernels, output, randomKey }, state, x, y), state };
    },
  });
}

interface DropoutState {
  /** An element is kept when its 32-bit random number is below this bound. */
  readonly keepBelow: number;
  readonly scale: number;
}

/** Copies `from` to `to` with some elements dropped. */
function dropping(
  { kernels, output, randomKey }: Pick<BuildContext, "kernels" | "output" | "randomKey">,
  { keepBelow, scale }: DropoutState,
  from: Buffer,
  to: Buffer,
): (n: number) => void {
  const size = sizeOf(output);
  const { batch, layer } = randomKey;
  return (n) => {
    const { seedLow, seedHigh, step, firstImage } = batch;
    const [a, b] = [from.pointer, to.pointer];
    kernels.dropout(a, b, n, size, keepBelow, scale, seedLow, seedHigh, step, layer, firstImage);
  };
}

/** Dropped elements have no gradient. The key gives the same choice again, so that no mask is stored. */
export const dropoutGradient: Gradient<DropoutState> = (context, state) =>
  dropping(context, state, context.dy, context.dx!);
