/** Checkpoints whose place in a run of `fit` is damaged or contradicts itself: refused with the place, or a run that ends. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  callbacks,
  FormatError,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  ShapeError,
  type Callback,
  type Engine,
  type FitOptions,
  type Model,
} from "../../src/index.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";

const COUNT = 6;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const other = [noise(2, COUNT, 7, 7, 3), labels] as const;

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const compiled = (model: Model): Model =>
  model.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
  }) as unknown as Model;

/** A run with all that a place may hold. */
const options = (last?: Callback): FitOptions => ({
  epochs: 3,
  batchSize: 4,
  validationData: [...other],
  earlyStopping: { patience: 4, restoreBestWeights: true },
  callbacks: [
    callbacks.earlyStopping({ monitor: "loss", patience: 4, restoreBestWeights: true }),
    callbacks.reduceLROnPlateau({ monitor: "loss", patience: 2 }),
    callbacks.csvLogger(() => {}),
    callbacks.learningRateFinder({ steps: 9 }),
    callbacks.checkpoint({ save() {}, saveBestOnly: true }),
    last ?? {},
    { onEpochEnd() {}, onBatchEnd() {} },
  ].map((callback) => ({ onTrainEnd() {}, ...callback })),
});

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface File {
  readonly tensors: ReturnType<typeof decodeSafetensors>["tensors"];
  readonly metadata: Record<string, string>;
  readonly training: { place: Json } & Record<string, Json>;
}

/** The file of the run that is left in the `k`-th of some events. */
async function fileOf(event: keyof Callback, k: number): Promise<File> {
  const model = compiled(tinyNet());
  const files: Uint8Array[] = [];
  await model.fit(images, labels, options({ [event]: () => void files.push(model.toCheckpoint()) }));
  model.dispose();
  const { tensors, metadata } = decodeSafetensors(files[k]!);
  return { tensors, metadata, training: JSON.parse(metadata["training"]!) as File["training"] };
}

const write = ({ tensors, metadata }: File, training: unknown): Uint8Array =>
  encodeSafetensors(tensors, { ...metadata, training: JSON.stringify(training) });

/** Goes on with the run. */
async function resume(bytes: Uint8Array): Promise<void> {
  let model: Model | undefined;
  try {
    model = compiled(loadModel(bytes));
    await model.fit(images, labels, options());
  } finally {
    model?.dispose();
  }
}

/** All places of a value, as lists of keys. */
function placesOf(value: Json, path: readonly string[] = []): string[][] {
  const own = [...path];
  if (value === null || typeof value !== "object") return [own];
  return [own, ...Object.entries(value).flatMap(([key, each]) => placesOf(each, [...path, key]))];
}

/** A copy with another value at a place; without any if it is undefined. */
function changed(value: Json, [key, ...rest]: readonly string[], by: Json | undefined): Json | undefined {
  if (key === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, Json>;
  const next = changed(copy[key]!, rest, by);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy as Json;
}

const OTHERS: (Json | undefined)[] = [
  undefined,
  null,
  -1,
  1.5,
  2 ** 40,
  "x",
  true,
  [],
  {},
  { $number: "NaN" },
];

describe("a damaged place", () => {
  it.each<[keyof Callback, number]>([
    ["onBatchEnd", 3],
    ["onEpochEnd", 1],
    ["onTrainBegin", 0],
  ])(
    "is refused by an error of the package, or the run ends: %s",
    async (event, k) => {
      const file = await fileOf(event, k);
      await resume(write(file, file.training));
      const places = placesOf(file.training.place);
      expect(places.length).toBeGreaterThan(40);
      let refused = 0;
      for (const path of places) {
        for (const by of OTHERS) {
          const training = { ...file.training, place: changed(file.training.place, path, by) };
          const error: unknown = await resume(write(file, training)).catch((reason: unknown) => reason);
          if (error === undefined) continue;
          refused++;
          const kinds = [FormatError, OptionError, ShapeError];
          const known = kinds.some((kind) => error instanceof kind);
          expect(known, `${path.join(".")} = ${JSON.stringify(by)}: ${String(error)}`).toBe(true);
        }
      }
      expect(refused / (places.length * OTHERS.length)).toBeGreaterThan(0.7);
    },
    300_000,
  );
});
