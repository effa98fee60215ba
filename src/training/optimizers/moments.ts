/** What optimizers share that keep decaying means of the gradients. */
import { OptionError } from "../../errors.ts";
import { numberIn, show } from "../../options.ts";

/** A decay of a mean: at least 0 and below 1. @throws OptionError */
export const decayOf = (name: string, value: number): number => numberIn(name, value, 0, 1);

/**
 * A number that keeps a divisor above zero. @throws OptionError unless it is above 0 as a float32: a weight whose gradient
 * is zero would otherwise step by 0 / 0
 */
export function epsilonOf(type: string, value: number): number {
  const epsilon = numberIn(`${type}: epsilon`, value, 0);
  if (Math.fround(epsilon) > 0) return epsilon;
  throw new OptionError(`${type}: epsilon: expected a float32 above 0, got ${show(epsilon)}`);
}

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
