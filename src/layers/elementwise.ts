import {
  activationCode,
  copyActivation,
  type Activation,
  type ActivationCode,
} from "../kernels/activation.ts";
import { ownActivation, type OwnActivation } from "../kernels/ownActivation.ts";
import { readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { onlyInput, type Gradient, type Layer, type Pass } from "./contract.ts";
import { ownBackward, ownForward } from "./ownActivation.ts";
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
  const own = ownActivation(config.activation);
  if (own) return ownLayer(own, config, options.name);
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

/** A layer that applies an activation of a user. */
function ownLayer(own: OwnActivation, config: object, name: string | undefined): Layer {
  return layerOf({
    type: "activation",
    name,
    config,
    backwardReads: { x: true, y: true },
    build(context): Pass<OwnActivation> {
      const { output, x, y } = context;
      return { forward: ownForward(context, own, x, y, sizeOf(output), output.at(-1)!), state: own };
    },
  });
}

/** `dx = dy·act′`; the slope act′ is computed from the input or from the output, depending on the activation. */
export const elementwiseActivationGradient: Gradient<ActivationCode | OwnActivation> = (context, coded) => {
  const { kernels, output, x, y, dx, dy } = context;
  const size = sizeOf(output);
  const columns = output.at(-1)!;
  if ("backward" in coded) return ownBackward(context, coded, x, dx!, size, columns);
  const { name, code, alpha, fromInput } = coded;
  if (name === "softmax") {
    return (n) => kernels.softmaxBackward(y.pointer, dy.pointer, dx!.pointer, (n * size) / columns, columns);
  }
  const read = fromInput ? x : y;
  return (n) => kernels.activationBackward(code, alpha, read.pointer, dy.pointer, dx!.pointer, n * size);
};
