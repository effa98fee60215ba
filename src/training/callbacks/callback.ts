/** The contract of a callback, and the callbacks of one run of `fit`. */
import { OptionError } from "../../errors.ts";
import { isPlainObject, show } from "../../options.ts";
import type { Interruption } from "../../runtime/interruption.ts";
import type { Tensor } from "../../tensor.ts";
import type { BatchEnd, EpochEnd, History } from "../history.ts";

/** The model that trains, as callbacks see it. */
export interface TrainedModel {
  /** The rate of the next step; set it to change it. */
  learningRate: number;
  /** Copies of the weights. */
  readonly weights: ReadonlyMap<string, Tensor>;
  setWeights(weights: ReadonlyMap<string, Tensor>): void;
}

/** The state before the first epoch. */
export interface TrainBegin {
  /** The most epochs of this run. */
  epochs: number;
  /** Whether there is validation data. */
  validated: boolean;
}

/** The state before an epoch, counted from 1. */
export interface EpochBegin {
  epoch: number;
}

/** The state before a batch, counted from 1. */
export interface BatchBegin {
  epoch: number;
  batch: number;
  /** Steps of this model so far. */
  step: number;
}

/**
 * What is called in the course of `fit`. A promise that a function returns is awaited; `"stop"`, returned or resolved with, ends
 * the run after this event, or after the batch that begins, with its history: an epoch that is cut short is evaluated like others. `onTrainEnd` is not called when `fit` rejects.
 */
export interface Callback {
  onTrainBegin?(state: TrainBegin, model: TrainedModel): unknown;
  onTrainEnd?(history: History, model: TrainedModel): unknown;
  onEpochBegin?(state: EpochBegin, model: TrainedModel): unknown;
  onEpochEnd?(state: EpochEnd, model: TrainedModel): unknown;
  onBatchBegin?(state: BatchBegin, model: TrainedModel): unknown;
  onBatchEnd?(state: BatchEnd<number | undefined>, model: TrainedModel): unknown;
}

/** A function stands for `{ onEpochEnd }`. */
export type CallbackLike = Callback | NonNullable<Callback["onEpochEnd"]>;

const EVENTS = [
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchBegin",
  "onBatchEnd",
] as const;

type Event = (typeof EVENTS)[number];

type States = { [Name in Event]: Parameters<NonNullable<Callback[Name]>>[0] };

/** The callbacks in a list. @throws OptionError for what is none */
export function checkCallbacks(where: string, list: readonly CallbackLike[] = []): Callback[] {
  if (!Array.isArray(list))
    throw new OptionError(`${where}: expected a list of callbacks, got ${show(list)}`);
  return list.map((callback: CallbackLike, i): Callback => {
    if (typeof callback === "function") return { onEpochEnd: callback };
    const known = EVENTS.filter((event) => callback?.[event] !== undefined);
    const wrong = known.find((event) => typeof callback[event] !== "function");
    if (wrong) {
      throw new OptionError(`${where}[${i}]: ${wrong}: expected a function, got ${show(callback[wrong])}`);
    }
    if (known.length > 0) return callback;
    const got = isPlainObject(callback)
      ? `an object with ${Object.keys(callback).join(", ") || "none"}`
      : show(callback);
    throw new OptionError(
      `${where}[${i}]: expected a function, or an object with ${EVENTS.join(", ")}, got ${got}`,
    );
  });
}

/** The callbacks of one run, which are called in their order. */
export class CallbackRun {
  readonly #callbacks: readonly Callback[];
  readonly #model: TrainedModel;
  readonly #interruption: Interruption;
  /** True when one of them has ended the run. */
  stopped = false;

  constructor(callbacks: readonly Callback[], model: TrainedModel, interruption: Interruption) {
    this.#callbacks = callbacks;
    this.#model = model;
    this.#interruption = interruption;
  }

  /** Whether any of them wants to know of an event. */
  hears(event: Event): boolean {
    return this.#callbacks.some((callback) => callback[event] !== undefined);
  }

  async call<Name extends Event>(event: Name, state: States[Name]): Promise<void> {
    for (const callback of this.#callbacks) {
      const result = await this.#interruption.wait(callback[event]?.(state as never, this.#model));
      if (result === "stop") this.stopped = true;
    }
  }
}
