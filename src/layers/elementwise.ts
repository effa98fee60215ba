import { activationCode, copyActivation, type Activation } from "../kernels/activation.ts";
import { checkOptions, numberIn } from "../options.ts";
import { sizeOf } from "../tensor.ts";

import { onlyInput, type Buffer, type Layer, type Pass } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";

/** The image as one row of numbers, `[h, w, c]` → `[h·w·c]`. Nothing is copied. */
export function flatten(options: { name?: string } = {}): Layer {
  checkOptions("flatten", options, ["name"]);
  return defineLayer({
    type: "flatten",
    name: options.name,
    config: {},
    backwardReads: { x: false, y: false },
    isView: () => true,
    outputShape: (inputs, where) => [sizeOf(onlyInput(inputs, where))],
    weights: () => [],
    build: () => ({ forward: () => {} }),
  });
}

/**
 * An activation as a layer of its own.
 * @throws OptionError when `activation` is none.
 */
export function activation(options: { activation: Activation; name?: string }): Layer {
  checkOptions("activation", options, ["activation", "name"]);
  const coded = activationCode("activation", options.activation);
  const { name: kind, code, alpha, fromInput } = coded;
  return defineLayer({
    type: "activation",
    name: options.name,
    config: { activation: copyActivation(options.activation) },
    backwardReads: { x: fromInput, y: !fromInput },
    overwrites: [0],
    ...(kind !== "linear" && kind !== "softmax" && { role: { kind: "activation", activation: coded } }),
    isView: () => kind === "linear",
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights: () => [],
    build({ kernels, output, x, y, dx, dy }): Pass {
      const size = sizeOf(output);
      const columns = output.at(-1)!;
      const rows = size / columns;
      if (kind === "softmax") {
        const forward = (n: number): void => kernels.softmaxForward(x.pointer, y.pointer, n * rows, columns);
        if (!dx) return { forward };
        const backward = (n: number): void =>
          kernels.softmaxBackward(y.pointer, dy.pointer, dx.pointer, n * rows, columns);
        return { forward, backward };
      }
      const forward = (n: number): void =>
        kernels.activationForward(code, alpha, x.pointer, y.pointer, n * size);
      if (!dx) return { forward };
      const read = fromInput ? x : y;
      const backward = (n: number): void =>
        kernels.activationBackward(code, alpha, read.pointer, dy.pointer, dx.pointer, n * size);
      return { forward, backward };
    },
  });
}

/**
 * In training each element is dropped with probability `rate` and the others are scaled by 1/(1 − rate); in inference
 * nothing happens. Which are dropped follows from the model's seed, the step, the layer, the image's place in its batch and
 * the element alone.
 * @throws OptionError unless 0 ≤ rate < 1.
 */
export function dropout(options: { rate: number; name?: string }): Layer {
  checkOptions("dropout", options, ["rate", "name"]);
  const rate = numberIn("dropout: rate", options.rate, 0, 1);
  const keepBelow = Math.min(Math.round((1 - rate) * 2 ** 32), 2 ** 32 - 1);
  const scale = Math.fround(1 / (1 - rate));
  return defineLayer({
    type: "dropout",
    name: options.name,
    config: { rate },
    backwardReads: { x: false, y: false },
    isView: (training) => !training || rate === 0,
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights: () => [],
    build({ kernels, output, x, y, dx, dy, randomKey: { batch, layer } }): Pass {
      const size = sizeOf(output);
      const drop = (n: number, from: Buffer, to: Buffer): void => {
        const { seedLow, seedHigh, step, firstImage } = batch;
        kernels.dropout(
          from.pointer,
          to.pointer,
          n,
          size,
          keepBelow,
          scale,
          seedLow,
          seedHigh,
          step,
          layer,
          firstImage,
        );
      };
      const forward = (n: number): void => drop(n, x, y);
      return dx ? { forward, backward: (n) => drop(n, dy, dx) } : { forward };
    },
  });
}
