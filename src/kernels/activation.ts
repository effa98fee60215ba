import { OptionError } from "../errors.ts";
import { numberIn, oneOf } from "../options.ts";
import { ACTIVATION, FIRST_FROM_INPUT } from "./kernels.ts";
import { OwnActivation } from "./ownActivation.ts";

/** The default parameters of the activations that have one: those of TensorFlow, except 1/6 for hard sigmoid. */
const PARAMETERS = { leakyRelu: 0.2, elu: 1, hardSigmoid: 1 / 6 } as const;

/**
 * The names of the activations. `softmax` runs over the last axis; `swish` is `silu`; `gelu` is exact and `geluTanh` is its
 * approximation by tanh. Formulas and error bounds are stated in `assembly/elementwise/activation.ts`.
 */
export type ActivationName = keyof typeof ACTIVATION;

type Parametric = keyof typeof PARAMETERS;

/** An activation by name, one of a user, or one with its parameter ≥ 0: the slope of leaky relu and hard sigmoid, the negated limit of elu. */
export type Activation =
  | ActivationName
  | OwnActivation
  | { readonly leakyRelu: number }
  | { readonly elu: number }
  | { readonly hardSigmoid: number };

/** An activation by the arguments of the kernels. */
export interface ActivationCode {
  readonly name: ActivationName;
  readonly code: number;
  readonly alpha: number;
  /** True when its slope follows from the input rather than from the output. */
  readonly fromInput: boolean;
}

/** Returns a copy of an activation, which the caller cannot change. */
export function copyActivation(_where: string, activation: Activation): Activation {
  if (typeof activation !== "object" || activation === null) return activation;
  return activation instanceof OwnActivation ? activation : { ...activation };
}

/**
 * Looks up an activation.
 * @throws OptionError unless `activation` is a name, or `{ name: parameter ≥ 0 }` for one that has a parameter.
 */
export function activationCode(where: string, activation: Activation): ActivationCode {
  const place = `${where}: activation`;
  const entries = typeof activation === "object" && activation !== null ? Object.entries(activation) : [];
  const [entry] = entries;
  if (entry && entries.length === 1 && Object.hasOwn(PARAMETERS, entry[0])) {
    const name = entry[0] as Parametric;
    const parameter = numberIn(`${place}: ${name}`, entry[1], 0);
    if (Math.fround(parameter) < Infinity) return coded(name, parameter);
    throw new OptionError(`${place}: ${name}: expected a number that float32 can hold, got ${parameter}`);
  }
  const name = oneOf(place, activation, Object.keys(ACTIVATION) as ActivationName[]);
  return coded(name, Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name as Parametric] : 0);
}

function coded(name: ActivationName, alpha: number): ActivationCode {
  const code = ACTIVATION[name];
  return { name, code, alpha, fromInput: code >= FIRST_FROM_INPUT };
}
