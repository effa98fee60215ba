/** Options and weights that layers with a kernel and a bias have in common. */
import { copyActivation, type Activation } from "../kernels/activation.ts";
import { flag, type Settled } from "../options.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import { checkRegularizer, type Penalty, type Regularizer } from "./regularizers.ts";
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
  /** One of `regularizers.*`. Default: no penalty. */
  kernelRegularizer?: Regularizer | undefined;
  /** One of `regularizers.*`. Default: no penalty. */
  biasRegularizer?: Regularizer | undefined;
  name?: string | undefined;
}

/** The readers of these options; the activation is checked when it is looked up. */
export const WEIGHTED = {
  activation: [copyActivation, "linear"],
  useBias: [flag, true],
  kernelInitializer: [checkInitializer, "glorotUniform"],
  biasInitializer: [checkInitializer, "zeros"],
  kernelRegularizer: [checkRegularizer],
  biasRegularizer: [checkRegularizer],
} as const;

type Penalties = "kernelRegularizer" | "biasRegularizer";

export type Weighted = Settled<Omit<WeightedOptions, "name" | Penalties>> & {
  readonly [Name in Penalties]?: Penalty;
};

/** The bias for a number of outputs, or no weight when `useBias` is false. */
export function biasOf(
  { useBias, biasInitializer, biasRegularizer }: Omit<Weighted, "activation" | "kernelInitializer">,
  outputs: number,
): WeightSpec[] {
  if (!useBias) return [];
  return [{ name: "bias", shape: [outputs], initializer: biasInitializer, regularizer: biasRegularizer }];
}

/** The kernel and the bias. */
export function kernelAndBias(settings: Weighted, shape: readonly number[], outputs: number): WeightSpec[] {
  const { kernelInitializer: initializer, kernelRegularizer: regularizer } = settings;
  return [{ name: "kernel", shape, initializer, regularizer }, ...biasOf(settings, outputs)];
}
