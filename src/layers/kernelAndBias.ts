/** Options and weights that layers with a kernel and a bias have in common. */
import { copyActivation, type Activation } from "../kernels/activation.ts";
import { flag, type Settled } from "../options.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import type { WeightSpec } from "./contract.ts";

export interface WeightedOptions {
  /** Default: `"linear"`. */
  activation?: Activation | undefined;
  /** Default: true. */
  useBias?: boolean | undefined;
  /** Default: `"glorotUniform"`. */
  kernelInitializer?: Initializer | undefined;
  /** Default: `"zeros"`. */
  biasInitializer?: Initializer | undefined;
  name?: string | undefined;
}

/** The readers of these options; the activation is checked when it is looked up. */
export const WEIGHTED = {
  activation: [copyActivation, "linear"],
  useBias: [flag, true],
  kernelInitializer: [checkInitializer, "glorotUniform"],
  biasInitializer: [checkInitializer, "zeros"],
} as const;

export type Weighted = Settled<Omit<WeightedOptions, "name">>;

/** The bias for a number of outputs, or no weight when `useBias` is false. */
export function biasOf(
  { useBias, biasInitializer }: Pick<Weighted, "useBias" | "biasInitializer">,
  outputs: number,
): WeightSpec[] {
  return useBias ? [{ name: "bias", shape: [outputs], initializer: biasInitializer }] : [];
}

/** The kernel and the bias. */
export function kernelAndBias(settings: Weighted, shape: readonly number[], outputs: number): WeightSpec[] {
  return [{ name: "kernel", shape, initializer: settings.kernelInitializer }, ...biasOf(settings, outputs)];
}
