import { OptionError } from "../errors.ts";
import { readLaidOut, type Parameter, type Parameters } from "../graph/parameters.ts";
import { listed, numberIn } from "../options.ts";
import type { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Tensor } from "../tensor.ts";
import type { Clip, Optimizer, OptimizerRun } from "./optimizers/optimizer.ts";
import { rateOf } from "./optimizers/rate.ts";
import { checkLaidOut, writeLaidOut } from "./slots.ts";
import { liesBehind, spansOf, type Span } from "./spans.ts";

/** The slots of an optimizer by name, each with a tensor for every weight that learns, by `layer.weight`. */
export type Slots = Readonly<Record<string, ReadonlyMap<string, Tensor>>>;

/** The optimizer at work on the weights of a model: its slots in memory, and what one step does to them. */
export class OptimizerUpdate {
  readonly #runtime: Runtime;
  readonly #parameters: Parameters;
  readonly #learning: ReadonlySet<Parameter>;
  /** Runs of weights that lie together, as their gradients and slots do. */
  readonly #spans: readonly Span[];
  /** Runs of gradients that lie together, wherever the weights lie: their norm is summed up in this order. */
  readonly #gradientSpans: readonly Span[];
  readonly #optimizer: Optimizer;
  readonly #gradients: number;
  /** The addresses of the slots, each laid out as the parameters. */
  readonly #slots: readonly number[];
  /** The addresses of one span in the slots: the same array for all steps. */
  readonly #spanSlots: number[] = [];
  #run: OptimizerRun;
  readonly #rateOf: (step: number) => number;
  readonly #multiplierOf: (parameter: Parameter) => number;
  /** The constant rate that replaces the optimizer's. */
  #ownRate: number | undefined;
  /** The learning rate of the step that was prepared. */
  #rate = 0;

  /**
   * `gradients` is the address of the gradients, laid out as the parameters; `multiplierOf` returns the factor of a weight's
   * learning rate. @throws MemoryError
   */
  constructor(
    runtime: Runtime,
    parameters: Parameters,
    learning: ReadonlySet<Parameter>,
    optimizer: Optimizer,
    gradients: number,
    region: Region,
    multiplierOf: (parameter: Parameter) => number = () => 1,
  ) {
    this.#runtime = runtime;
    this.#parameters = parameters;
    this.#learning = learning;
    this.#multiplierOf = multiplierOf;
    const together = (first: Parameter, next: Parameter): boolean =>
      !optimizer.perWeight && liesBehind(first, next) && multiplierOf(first) === multiplierOf(next);
    this.#spans = spansOf(parameters, learning, together);
    this.#gradientSpans = spansOf(parameters, learning, () => true);
    this.#optimizer = optimizer;
    this.#gradients = gradients;
    this.#slots = optimizer.slots.map(() => region.zeros(parameters.size));
    this.#run = optimizer.start();
    this.#rateOf = rateOf(`${optimizer.type}: learningRate`, optimizer.learningRate);
  }

  /** The learning rate that was set in place of the optimizer's. */
  get ownRate(): number | undefined {
    return this.#ownRate;
  }

  /** Sets it; undefined stands for the optimizer's. @throws OptionError for a rate that is none, or beside a schedule */
  setRate(where: string, rate: number | undefined): void {
    if (rate !== undefined) {
      numberIn(where, rate, 0);
      if (typeof this.#optimizer.learningRate === "function") {
        throw new OptionError(
          `${where}: expected an optimizer with a constant rate, which can be changed, got ${this.#optimizer.type} with a schedule`,
        );
      }
    }
    this.#ownRate = rate;
  }

  /** The learning rate of step `step`. @throws OptionError when a schedule returns none */
  rateOf(step: number): number {
    return this.#ownRate ?? this.#rateOf(step);
  }

  /**
   * Clips the gradients and computes step `step`, counted from 0, without storing it. Returns whether all gradients, new
   * weights and new slots are finite.
   */
  prepare(step: number): boolean {
    const { clip } = this.#optimizer;
    const finite = !clip || this.#clipGradients(clip);
    this.#rate = this.rateOf(step);
    this.#run.begin?.(step);
    return finite && this.#step(0);
  }

  /** Stores the step that was prepared. */
  commit(): void {
    this.#step(1);
  }

  #step(commit: 0 | 1): boolean {
    let finite = true;
    for (let i = 0; i < this.#spans.length; i++) {
      const { first, size } = this.#spans[i]!;
      const at = first.offset * 4;
      for (let j = 0; j < this.#slots.length; j++) this.#spanSlots[j] = this.#slots[j]! + at;
      const [w, g] = [this.#parameters.addressOf(first), this.#gradients + at];
      const rate = this.#rate * this.#multiplierOf(first);
      finite = this.#run.step(this.#runtime, w, g, this.#spanSlots, size, rate, commit) && finite;
    }
    return finite;
  }

  /** Returns whether all gradients were finite: a bound would make a number of an infinite one. */
  #clipGradients({ norm, value }: Clip): boolean {
    const { kernels } = this.#runtime;
    let squares = 0;
    for (const { first, size } of this.#gradientSpans) {
      squares += kernels.sumOfSquares(this.#gradients + first.offset * 4, size);
    }
    const length = Math.sqrt(squares);
    const scale = length > norm ? norm / length : 1;
    for (const { first, size } of this.#gradientSpans) {
      kernels.clipGradient(this.#gradients + first.offset * 4, size, scale, value);
    }
    // Squares of float32 do not overflow in float64.
    return Number.isFinite(squares);
  }

  /** Copies of the slots. */
  readSlots(): Slots {
    const { floats } = this.#runtime.heap;
    const read = (slot: number): Map<string, Tensor> =>
      readLaidOut(floats.subarray(slot >>> 2), this.#learning);
    return Object.fromEntries(this.#optimizer.slots.map((name, i) => [name, read(this.#slots[i]!)]));
  }

  /** Copies of slots that fit this optimizer and these weights. @throws ShapeError, OptionError naming what does not */
  checkSlots(where: string, slots: Slots): Slots {
    const names = this.#optimizer.slots;
    const unknown = Object.keys(slots ?? {}).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new OptionError(`${where}: expected the slots ${listed(names)}, got ${unknown} besides`);
    }
    return Object.fromEntries(
      names.map((name) => [name, checkLaidOut(`${where}: ${name}`, slots?.[name], this.#learning)]),
    );
  }

  /** Puts slots back that were checked, and starts the optimizer's run anew, to be taken up at any step. */
  writeSlots(slots: Slots): void {
    const { floats } = this.#runtime.heap;
    this.#optimizer.slots.forEach((slot, i) => {
      writeLaidOut(floats, this.#slots[i]!, slots[slot]!, this.#learning);
    });
    this.#run = this.#optimizer.start();
  }
}
