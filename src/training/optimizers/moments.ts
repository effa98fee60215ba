/** What optimizers share that keep decaying means of the gradients. */
import { OptionError } from "../../errors.ts";
import { notNegative, numberIn, show } from "../../options.ts";

/** A decay of a mean: at least 0 and below 1. @throws OptionError */
export const decayOf = (where: string, value: unknown): number => numberIn(where, value, 0, 1);

/**
 * A number that keeps a divisor above zero. @throws OptionError unless it is above 0 as a float32: a weight whose gradient
 * is zero would otherwise step by 0 / 0
 */
export function epsilonOf(where: string, value: unknown): number {
  const epsilon = notNegative(where, value);
  if (Math.fround(epsilon) > 0) return epsilon;
  throw new OptionError(`${where}: expected a float32 above 0, got ${show(epsilon)}`);
}

/** The options of optimizers that keep a mean of the gradients and one of their squares, and the slots of these. */
export const momentReaders = (epsilon: number, weightDecay: number) =>
  ({
    beta1: [decayOf, 0.9],
    beta2: [decayOf, 0.999],
    epsilon: [epsilonOf, epsilon],
    weightDecay: [notNegative, weightDecay],
  }) as const;
export const MOMENTS = ["mean", "variance"] as const;

/** `1 − β^t` of two decays in step t, by which means that started at zero are divided. */
export class Corrections {
  readonly #beta1: number;
  readonly #beta2: number;
  // β^t as a running product: exact operations only, so that every host has the same.
  #power1 = 1;
  #power2 = 1;
  #factors = 0;

  constructor(beta1: number, beta2: number) {
    this.#beta1 = beta1;
    this.#beta2 = beta2;
  }

  /** Makes ready for step `step`, counted from 0, in which t is one more. */
  begin(step: number): void {
    // More than one factor is missing when a run is taken up.
    while (this.#factors <= step) {
      const next1 = this.#power1 * this.#beta1;
      const next2 = this.#power2 * this.#beta2;
      // Once a factor changes nothing, no further one does: a run that is taken up late need not multiply all.
      this.#factors = next1 === this.#power1 && next2 === this.#power2 ? step + 1 : this.#factors + 1;
      this.#power1 = next1;
      this.#power2 = next2;
    }
  }

  get first(): number {
    return 1 - this.#power1;
  }

  get second(): number {
    return 1 - this.#power2;
  }
}
