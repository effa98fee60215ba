/** The state of a training run as part of a model file: its numbers as JSON, its slots as tensors beside the weights. */
import { FormatError, OptionError } from "../errors.ts";
import { isPlainObject, show } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { Accumulated } from "../training/accumulation.ts";
import type { Averages } from "../training/averages.ts";
import type { Place } from "../training/place.ts";
import type { TrainingState } from "../training/trainer.ts";
import { readPlace } from "./placeRecord.ts";
import { packState, unpackState } from "./stateJson.ts";

/** What a file holds of a run: the state of training, and where in a call of `fit` it was left, unless it was between two. */
export interface TrainingRecord {
  readonly state: TrainingState;
  readonly place?: Place | undefined;
}

/** The version of the JSON that this package writes, and the only one that it reads. */
const VERSION = 1;

/** What `compile` asks for besides an optimizer is stored as slots of these names. */
const GRADIENTS = "accumulated gradients";
const AVERAGES = "averages of weights";

/** A state as the metadata have it: the slots are lists of the names of their weights. */
interface StoredState extends Omit<TrainingState, "slots" | "accumulated" | "averages"> {
  readonly version: number;
  readonly accumulated?: Omit<Accumulated, "gradients">;
  readonly averages?: Omit<Averages, "weights">;
  readonly slots: Readonly<Record<string, readonly string[]>>;
  readonly place?: unknown;
}

const WHERE = "loadModel: training";

/** The name of the tensor that holds the slot of a weight. */
const slotName = (slot: string, weight: string): string => `optimizer/${slot}/${weight}`;

/** The tensors of a place have names that begin so. */
const PLACE = "fit";

/** Adds the tensors of a run to those of a file, and returns the rest as JSON. @throws OptionError */
export function addTraining({ state, place }: TrainingRecord, tensors: Map<string, Tensor>): string {
  const { slots, accumulated, averages, ...numbers } = state;
  const all = {
    ...slots,
    ...(accumulated && { [GRADIENTS]: accumulated.gradients }),
    ...(averages && { [AVERAGES]: averages.weights }),
  };
  const names: Record<string, string[]> = {};
  for (const [slot, bySlot] of Object.entries(all)) {
    names[slot] = [...bySlot.keys()];
    for (const [weight, tensor] of bySlot) {
      const name = slotName(slot, weight);
      if (tensors.has(name)) {
        throw new OptionError(
          `toCheckpoint: expected weights with other names than the optimizer's, got ${name}`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  const stored: StoredState = {
    version: VERSION,
    ...numbers,
    ...(accumulated && { accumulated: { batches: accumulated.batches, images: accumulated.images } }),
    ...(averages && { averages: { inUse: averages.inUse } }),
    slots: names,
    ...(place && { place: packState("toCheckpoint", place, PLACE, tensors) }),
  };
  return JSON.stringify(stored);
}

function fail(expected: string, got: unknown): never {
  throw new FormatError(`${WHERE}: expected ${expected}, got ${show(got)}`);
}

function parse(text: string): StoredState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("JSON", text);
  }
  if (!isPlainObject(parsed)) fail("an object", parsed);
  const { version, optimizer, slots } = parsed;
  if (version !== VERSION) fail(`version ${VERSION}`, version);
  if (typeof optimizer !== "string") fail("the name of an optimizer", optimizer);
  if (!isPlainObject(slots)) fail("slots by name", slots);
  for (const names of Object.values(slots)) {
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string"))
      fail("names of weights", names);
  }
  return parsed as unknown as StoredState;
}

/**
 * Takes the tensors of a run out of the tensors of a file; weights are left. Numbers are checked when a model takes the run
 * up. @throws FormatError
 */
export function takeTraining(text: string, tensors: Map<string, Tensor>): TrainingRecord {
  const { version: _, slots, accumulated, averages, place: packed, ...numbers } = parse(text);
  const take = (slot: string, weight: string): [string, Tensor] => {
    const name = slotName(slot, weight);
    const tensor = tensors.get(name) ?? fail(`the tensor ${name}`, undefined);
    tensors.delete(name);
    return [weight, tensor];
  };
  const taken = Object.entries(slots).map(
    ([slot, names]) => [slot, new Map(names.map((weight) => take(slot, weight)))] as const,
  );
  const { [GRADIENTS]: gradients, [AVERAGES]: weights, ...own } = Object.fromEntries(taken);
  const place = packed === undefined ? undefined : unpackState(`${WHERE}: place`, packed, tensors);
  const state = {
    ...numbers,
    slots: own,
    ...(accumulated && { accumulated: { ...accumulated, gradients: gradients! } }),
    ...(averages && { averages: { ...averages, weights: weights! } }),
  };
  return { state, ...(place !== undefined && { place: readPlace(place, state.steps) }) };
}
