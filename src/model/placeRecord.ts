/** Reads the place of a run of `fit` from a file. */
import { FormatError } from "../errors.ts";
import { isCount, isPlainObject, show } from "../options.ts";
import type { History } from "../training/history.ts";
import { PHASES, type Place } from "../training/place.ts";

const COUNTS = ["epoch", "batch", "step", "count"] as const;
/** All entries of a place. */
const KEYS =
  "phase epoch batch step count lossSum correct stopped history options event callbacks earlyStopping observer".split(
    " ",
  );
const WHERE = "loadModel: training: place";

/** The events that may be under way in a phase. */
const EVENTS: Readonly<Record<string, readonly string[]>> = {
  trainBegin: ["onTrainBegin"],
  epoch: ["onEpochBegin"],
  batches: ["onBatchBegin", "onBatchEnd"],
  epochEnd: ["onEpochEnd"],
  trainEnd: ["onTrainEnd"],
};

/** The phases before the loss of the epoch is in the history. */
const OPEN = ["trainBegin", "epoch", "batches"];

/** @throws FormatError unless `holds` */
function expect(holds: boolean, name: string, expected: string, got: unknown): asserts holds {
  if (!holds) throw new FormatError(`${WHERE}: ${name}: expected ${expected}, got ${show(got)}`);
}

function expectCount(name: string, value: unknown): asserts value is number {
  expect(isCount(value), name, "an integer ≥ 0", value);
}

const isNumber = (value: unknown): boolean => typeof value === "number" && value === value;

/**
 * Checks a place by itself and against the steps of the state of training; what the data and the options of `fit`
 * must be is found out there. @throws FormatError naming what is damaged or contradicts the rest
 */
export function readPlace(value: unknown, steps: number): Place {
  if (!isPlainObject(value)) throw new FormatError(`${WHERE}: expected an object, got ${show(value)}`);
  const place = value as unknown as Place;
  for (const key of Object.keys(value)) expect(KEYS.includes(key), key, "no such entry", value[key]);
  const { phase, stopped, options, callbacks, batch, count } = place;
  expect(PHASES.includes(phase), "phase", `one of ${PHASES.join(", ")}`, phase);
  for (const name of COUNTS) expectCount(name, place[name]);
  for (const name of ["lossSum", "correct"] as const)
    expect(isNumber(place[name]), name, "a number", place[name]);
  expect(typeof stopped === "boolean", "stopped", "true or false", stopped);
  expect(place.step === steps, "step", `${steps}, those of the optimizer`, place.step);
  expect(batch === 0 ? count === 0 : count >= batch, "count", `the images of ${batch} batches`, count);
  expect(isPlainObject(options), "options", "an object", options);
  expect(Array.isArray(callbacks), "callbacks", "a list", callbacks);
  checkEvent(place);
  checkHistory(place);
  return place;
}

function checkEvent({ phase, event, callbacks }: Place): void {
  // The figures of an epoch that has ended are with its event.
  expect(event !== undefined || phase !== "epochEnd", "event", "one", event);
  if (event === undefined) return;
  const events = EVENTS[phase] ?? [];
  expect(isPlainObject(event) && events.includes(event.event), "event", `one of ${phase}`, event);
  expectCount("event: next", event.next);
  const most = callbacks.length;
  expect(event.next <= most, "event: next", `at most ${most}, the callbacks`, event.next);
}

function checkHistory({ phase, epoch, history, options }: Place): void {
  const { initialEpoch, epochs: last, validationData } = options;
  expectCount("options: initialEpoch", initialEpoch);
  expectCount("options: epochs", last);
  expect(
    epoch > initialEpoch && epoch <= Math.max(last, initialEpoch + 1),
    "epoch",
    `one from ${initialEpoch + 1} to ${last}`,
    epoch,
  );
  expect(isPlainObject(history), "history", "an object", history);
  const full = epoch - initialEpoch;
  const done = history["loss" as keyof History] as unknown[] | undefined;
  // A run that is stopped before an epoch ends without its figures.
  const ends = phase === "finish" || phase === "trainEnd";
  const least = OPEN.includes(phase) || ends ? full - 1 : full;
  const most = OPEN.includes(phase) ? full - 1 : full;
  const length = Array.isArray(done) ? done.length : -1;
  expect(length >= least && length <= most, "history: loss", `figures of ${most} epochs`, done);
  const validated = validationData ? length - (phase === "validation" ? 1 : 0) : 0;
  const lengths = {
    loss: length,
    accuracy: length,
    validationLoss: validated,
    validationAccuracy: validated,
  };
  for (const [name, own] of Object.entries(lengths)) {
    const figures: unknown = history[name as keyof typeof lengths];
    const fits =
      Array.isArray(figures) && figures.length === own && figures.every((each) => typeof each === "number");
    expect(fits, `history: ${name}`, `figures of ${own} epochs`, figures);
  }
  for (const name of ["stoppedEpoch", "bestEpoch"] as const) {
    if (history[name] !== undefined) expectCount(`history: ${name}`, history[name]);
  }
}
