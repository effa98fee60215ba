/** Options and weights that layers with a kernel and a bias have in common. */
import { copyActivation, type Activation } from "../kernels/activation.ts";
import { flag } from "../options.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import type { WeightSpec } from "./contract.ts";

export interface WeightedOptions {
  /** Default: `"linear"`. */
  activation?: Activation;
  /** Default: true. */
  useBias?: boolean;
  /** Default: `"glorotUniform"`. */
  kernelInitializer?: Initializer;
  /** Default: `"zeros"`. */
  biasInitializer?: Initializer;
  name?: string;
}

export const WEIGHTED_KEYS = [
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  "name",
] as const;

export type Weighted = Required<Omit<WeightedOptions, "name">>;

/** Returns a copy of the options with the defaults filled in. @throws OptionError; the activation is checked elsewhere */
export function checkWeighted(type: string, options: WeightedOptions): Weighted {
  const { activation = "linear", useBias = true } = options;
  const { kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  return {
    activation: copyActivation(activation),
    useBias: flag(`${type}: useBias`, useBias),
    kernelInitializer: checkInitializer(`${type}: kernelInitializer`, kernelInitializer),
    biasInitializer: checkInitializer(`${type}: biasInitializer`, biasInitializer),
  };
}

/** The bias for a number of outputs, or no weight when `useBias` is false. */
export function biasOf({ useBias, biasInitializer }: Weighted, outputs: number): WeightSpec[] {
  return useBias ? [{ name: "bias", shape: [outputs], initializer: biasInitializer }] : [];
}

/** The kernel and the bias. */
export function kernelAndBias(settings: Weighted, shape: readonly number[], outputs: number): WeightSpec[] {
  return [{ name: "kernel", shape, initializer: settings.kernelInitializer }, ...biasOf(settings, outputs)];
}
