/** The contract of a callback, and the callbacks of one run of `fit`. */
import { OptionError } from "../../errors.ts";
import { isPlainObject, show } from "../../options.ts";
import type { Interruption } from "../../runtime/interruption.ts";
import type { Tensor } from "../../tensor.ts";
import type { BatchEnd, EpochEnd, History } from "../history.ts";
import type { Pending, Place } from "../place.ts";
import type { TrainingState } from "../trainer.ts";

/** The model that trains, as callbacks see it. */
export interface TrainedModel {
  /** The rate of the next step; set it to change it. */
  learningRate: number;
  /** The steps of training so far. */
  readonly steps: number;
  /** Copies of the weights. */
  readonly weights: ReadonlyMap<string, Tensor>;
  setWeights(weights: ReadonlyMap<string, Tensor>): void;
  /** All that training needs to go on, besides the weights. */
  readonly trainingState: TrainingState;
  setTrainingState(state: TrainingState): void;
  /** A file from which the run goes on where it is: after the event that is heard of, for this callback. */
  toCheckpoint(): Uint8Array<ArrayBuffer>;
}

/** The state before the first epoch. */
export interface TrainBegin {
  /** The number of the last epoch, and of epochs that are counted as done. */
  epochs: number;
  initialEpoch: number;
  /** Whether the run goes on from a checkpoint: what was done before is not heard of again. */
  resumed: boolean;
  /** Whether there is validation data. */
  validated: boolean;
  /** The names of the figures of each epoch, as `monitor` of callbacks takes them: of metrics those that are single numbers. */
  figures: readonly string[];
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
 *
 * A run that goes on from a checkpoint begins with `onTrainBegin`, and what that changes in the model is undone; then `restore`
 * takes what `state` returned when the checkpoint was written. A callback without the two begins anew.
 */
export interface Callback {
  /** What the callback needs to go on: values of JSON, tensors, and Maps of tensors by name. */
  state?(): unknown;
  /** Takes up what `state` returned; it may have been in a file meanwhile, and is to be checked like one. */
  restore?(state: never, model: TrainedModel): void;
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
    if (known.length > 0) return checkState(`${where}[${i}]`, callback);
    const got = isPlainObject(callback)
      ? `an object with ${Object.keys(callback).join(", ") || "none"}`
      : show(callback);
    throw new OptionError(
      `${where}[${i}]: expected a function, or an object with ${EVENTS.join(", ")}, got ${got}`,
    );
  });
}

/** @throws OptionError unless a callback has both or neither of `state` and `restore` */
function checkState(where: string, callback: Callback): Callback {
  const [state, restore] = [typeof callback.state, typeof callback.restore];
  if (state === restore && (state === "function" || state === "undefined")) return callback;
  throw new OptionError(
    `${where}: expected the functions state and restore, or neither, got ${state} and ${restore}`,
  );
}

/** The callbacks of one run, which are called in their order. */
export class CallbackRun {
  readonly #callbacks: readonly Callback[];
  readonly #model: TrainedModel;
  readonly #interruption: Interruption;
  /** The event under way, what callbacks are told, and the first that has not heard of it. */
  #event: Event | undefined;
  #told: unknown;
  #next = 0;
  /** An event of a run that goes on, of which some callbacks heard before. */
  #pending: Pending | undefined;
  /** True when one of them has ended the run. */
  stopped = false;

  constructor(callbacks: readonly Callback[], model: TrainedModel, interruption: Interruption) {
    this.#callbacks = callbacks;
    this.#model = model;
    this.#interruption = interruption;
  }

  /** Whether any of them wants to know of an event, from one of them on. */
  hears(event: string, from = 0): boolean {
    return this.#callbacks.some((callback, i) => i >= from && callback[event as Event] !== undefined);
  }

  /** Tells them of an event. One that was interrupted is told to those that had not heard of it, as it was. */
  async call<Name extends Event>(event: Name, state: States[Name]): Promise<void> {
    const pending = this.pends(event) ? this.#pending! : { next: 0, state };
    this.#pending = undefined;
    await this.#tell(event, pending.state ?? state, pending.next, this.#callbacks.length);
  }

  /** Tells the others of an event that was interrupted, if it was this one. */
  async finish(event: Event): Promise<void> {
    if (this.pends(event)) await this.call(event, undefined as never);
  }

  async #tell(event: Event, state: unknown, from: number, to: number): Promise<void> {
    this.#event = event;
    this.#told = state;
    for (this.#next = from; this.#next < to;) {
      const callback = this.#callbacks[this.#next++]!;
      const result = await this.#interruption.wait(callback[event]?.(state as never, this.#model));
      if (result === "stop") this.stopped = true;
    }
  }

  /** Says that what followed an event was done: it is not interrupted any more. */
  over(): void {
    this.#event = this.#told = undefined;
  }

  /** Whether an event was interrupted. */
  pends(event: Event): boolean {
    return this.#pending?.event === event;
  }

  /** The event under way. */
  pending(): Pending | undefined {
    const [event, next] = [this.#event, this.#next];
    return event && { event, next, ...(this.hears(event, next) && { state: this.#told }) };
  }

  /** The state of each: null of those that have none, or have not begun. */
  states(): unknown[] {
    const begun = this.#event === "onTrainBegin" ? this.#next : Infinity;
    return this.#callbacks.map((callback, i) => (i < begun ? (callback.state?.() ?? null) : null));
  }

  /** @throws OptionError unless these are the callbacks of the run that `from` is a place of, as far as it shows */
  expectOf({ event, callbacks: states }: Place): void {
    const without = states.findIndex((state, i) => state !== null && !this.#callbacks[i]?.restore);
    if (without >= 0) {
      throw new OptionError(
        `fit: callbacks[${without - 1}]: expected one with a state, as in the interrupted run that the checkpoint holds, got one without`,
      );
    }
    if (event && this.hears(event.event, event.next) && event.state === undefined) {
      throw new OptionError(`fit: the checkpoint: event: state: expected that of ${event.event}, got none`);
    }
  }

  /**
   * Goes on where a run was interrupted: those that had begun begin, `undo` puts the model back, and they take up their states.
   */
  async resume(begin: TrainBegin, from: Place, undo: () => void): Promise<void> {
    const { event, callbacks: states, stopped } = from;
    const all = this.#callbacks.length;
    await this.#tell("onTrainBegin", begin, 0, event?.event === "onTrainBegin" ? event.next : all);
    this.over();
    undo();
    states.forEach((state, i) => {
      if (state !== null) this.#callbacks[i]!.restore!(state as never, this.#model);
    });
    this.#pending = event;
    this.stopped = stopped;
  }
}
