import { readLaidOut, type Parameter, type Parameters } from "../graph/parameters.ts";
import { checkOptions, flag } from "../options.ts";
import type { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor.ts";
import { checkLaidOut, writeLaidOut } from "./slots.ts";
import { liesBehind, spansOf, type Span } from "./spans.ts";

/** The state of moving averages of weights. */
export interface Averages {
  /** True when the model has the averages as its weights. */
  readonly inUse: boolean;
  /** The averages, or while these are in use the weights from which training goes on, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * An exponential moving average of each weight that learns: `average = momentum·average + (1 − momentum)·w` after each step, in
 * float32, each product and their sum rounded once; after the first step it is w.
 */
export class WeightAverages {
  readonly #runtime: Runtime;
  readonly #parameters: Parameters;
  readonly #learning: ReadonlySet<Parameter>;
  readonly #spans: readonly Span[];
  readonly #momentum: number;
  /** The address of the averages, or of the weights that they replace, laid out as the weights. */
  readonly #others: number;
  /** True when there are averages. */
  #started = false;
  #inUse = false;
  /** The revision of the weights when the averages took their place. */
  #revision = 0;

  /** @throws MemoryError */
  constructor(
    runtime: Runtime,
    parameters: Parameters,
    learning: ReadonlySet<Parameter>,
    momentum: number,
    region: Region,
  ) {
    this.#runtime = runtime;
    this.#parameters = parameters;
    this.#learning = learning;
    this.#spans = spansOf(parameters, learning, liesBehind);
    this.#momentum = momentum;
    this.#others = region.zeros(parameters.size);
  }

  /** Takes in the weights after a step. */
  follow(): void {
    const momentum = this.#started ? this.#momentum : 0;
    for (const { first, size } of this.#spans) {
      const at = this.#others + first.offset * 4;
      this.#runtime.kernels.axpby(size, 1 - momentum, this.#parameters.addressOf(first), momentum, at);
    }
    this.#started = true;
  }

  /** Makes the averages the model's weights, or puts those back from which training goes on. */
  use(inUse: boolean): void {
    if (!this.#started || inUse === this.#inUse) return;
    this.#inUse = inUse;
    if (!inUse && this.#revision !== this.#parameters.revision) {
      // Others have replaced the weights: training goes on from these, and their averages begin with the next step.
      this.#started = false;
      return;
    }
    const { floats } = this.#runtime.heap;
    for (const { first, size } of this.#spans) {
      const [a, b] = [this.#parameters.addressOf(first) >>> 2, (this.#others >>> 2) + first.offset];
      const weights = floats.slice(a, a + size);
      floats.copyWithin(a, b, b + size);
      floats.set(weights, b);
    }
    this.#revision = this.#parameters.changed();
  }

  /** A copy of the state, if there are averages. */
  read(): Averages | undefined {
    if (!this.#started) return undefined;
    const { floats } = this.#runtime.heap;
    return { inUse: this.#inUse, weights: readLaidOut(floats.subarray(this.#others >>> 2), this.#learning) };
  }

  /** Checks a state. @throws OptionError, ShapeError */
  check(where: string, state: Averages): Averages {
    checkOptions(where, state, ["inUse", "weights"]);
    const weights = checkLaidOut(`${where}: weights`, state.weights, this.#learning);
    return { inUse: flag(`${where}: inUse`, state.inUse), weights };
  }

  /** Puts back a state that was checked. The weights of its moment are those of the model. */
  write(state: Averages | undefined): void {
    this.#started = state !== undefined;
    this.#inUse = state?.inUse ?? false;
    this.#revision = this.#parameters.revision;
    if (state) writeLaidOut(this.#runtime.heap.floats, this.#others, state.weights, this.#learning);
  }
}
