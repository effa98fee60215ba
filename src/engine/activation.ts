import { numberIn, oneOf } from "../options.ts";

const CODES = { linear: 0, relu: 1, leakyRelu: 2, sigmoid: 3, tanh: 4, softmax: 5 } as const;

/** Names of the activations. `softmax` runs over the last axis. */
export type ActivationName = keyof typeof CODES;

/** An activation by name; leaky relu also with its slope for negative inputs, `{ leakyRelu: 0.1 }`. */
export type Activation = ActivationName | { readonly leakyRelu: number };

/** Slope of the leaky relu where none is given, as in TensorFlow. */
const DEFAULT_SLOPE = 0.2;

/** An activation as the kernels take it. `code` is that of `assembly/activation.ts`. */
export interface ActivationCode {
  readonly name: ActivationName;
  readonly code: number;
  readonly alpha: number;
}

/** The activation as an object of its own, which the caller cannot change. */
export function copyActivation(activation: Activation): Activation {
  return typeof activation === "object" && activation !== null ? { ...activation } : activation;
}

/** @throws OptionError unless `activation` is a name or `{ leakyRelu: slope ≥ 0 }`. */
export function activationCode(where: string, activation: Activation): ActivationCode {
  if (typeof activation === "object" && activation !== null && "leakyRelu" in activation) {
    const alpha = numberIn(`${where}: activation: leakyRelu`, activation.leakyRelu, 0);
    return { name: "leakyRelu", code: CODES.leakyRelu, alpha };
  }
  const name = oneOf(`${where}: activation`, activation, Object.keys(CODES) as ActivationName[]);
  return { name, code: CODES[name], alpha: name === "leakyRelu" ? DEFAULT_SLOPE : 0 };
}
