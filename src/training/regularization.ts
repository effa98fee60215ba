import type { Parameter, Parameters } from "../graph/parameters.ts";
import type { Runtime } from "../runtime/runtime.ts";

/** The penalties on the weights of a model that learn. */
export class Regularization {
  readonly #runtime: Runtime;
  readonly #parameters: Parameters;
  /** The weights with a penalty, in the order of all weights. */
  readonly #penalized: readonly Parameter[];

  constructor(runtime: Runtime, parameters: Parameters, learning: ReadonlySet<Parameter>) {
    this.#runtime = runtime;
    this.#parameters = parameters;
    this.#penalized = [...learning].filter(({ regularizer }) => regularizer !== undefined);
  }

  /**
   * The sum of the penalties, in float64: those of the weights in their order, of each `l1·Σ|w|` before `l2·Σw²`.
   */
  penalty(): number {
    const { kernels } = this.#runtime;
    let sum = 0;
    for (const parameter of this.#penalized) {
      const { l1, l2 } = parameter.regularizer!;
      const at = this.#parameters.addressOf(parameter);
      if (l1 > 0) sum += l1 * kernels.sumOfMagnitudes(at, parameter.size);
      if (l2 > 0) sum += l2 * kernels.sumOfSquares(at, parameter.size);
    }
    return sum;
  }

  /** Adds the gradients of the penalties to those at an address, which are laid out as the weights. */
  addGradients(gradients: number): void {
    const { kernels } = this.#runtime;
    for (const parameter of this.#penalized) {
      const { regularizer, offset, size } = parameter;
      const at = this.#parameters.addressOf(parameter);
      kernels.regularizeGradient(at, gradients + offset * 4, size, regularizer!.l1, regularizer!.l2);
    }
  }
}
