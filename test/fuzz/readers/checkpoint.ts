/** Checkpoints of runs of `fit`: damage to the state of training in the metadata, and runs that go on from it. */
import {
  callbacks,
  load,
  loadModel,
  losses,
  optimizers,
  type FitOptions,
  type Model,
} from "../../../src/index.ts";
import type { Engine } from "../../../src/index.ts";
import { decodeSafetensors } from "../../../src/formats/safetensors.ts";
import { tinyNet } from "../../conformance/nets.ts";
import { noise } from "../../support/model.ts";
import { damageJson } from "../json.ts";
import type { Reader } from "../reader.ts";
import { partsOf, together } from "./safetensors.ts";

const COUNT = 6;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);

const compiled = (model: Model, engine: Engine): Model =>
  model.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
    useEma: true,
  }) as unknown as Model;

/** A run with all kinds of state, that hears of its events last. */
const options = (hear: () => unknown): FitOptions => ({
  epochs: 2,
  batchSize: 4,
  validationData: [images, labels],
  earlyStopping: { patience: 4, restoreBestWeights: true },
  callbacks: [
    callbacks.earlyStopping({ monitor: "loss", patience: 4, restoreBestWeights: true }),
    callbacks.reduceLROnPlateau({ monitor: "loss", patience: 2 }),
    callbacks.learningRateFinder({ steps: 3 }),
    callbacks.csvLogger(() => {}),
    { onTrainBegin: hear, onBatchBegin: hear, onBatchEnd: hear, onEpochEnd: hear, onTrainEnd: hear },
    { onBatchEnd() {}, onEpochEnd() {} },
  ],
});

async function checkpoints(): Promise<readonly Uint8Array[]> {
  const engine = await load();
  const model = compiled(tinyNet(), engine);
  const files: Uint8Array[] = [];
  await model.fit(
    images,
    labels,
    options(() => void files.push(model.toCheckpoint())),
  );
  engine.dispose();
  return files;
}

const files = await checkpoints();

export const checkpoint: Reader = {
  name: "checkpoint",
  weight: 2,
  seeds: () => files,
  mutate(random, file) {
    const { text, data } = partsOf(file)!;
    const header = JSON.parse(text) as Record<string, Record<string, string>>;
    const metadata = header["__metadata__"]!;
    metadata["training"] = damageJson(random, metadata["training"]!);
    return together(JSON.stringify(header), data);
  },
  parse: decodeSafetensors,
  async use(bytes, { plain }) {
    const model = loadModel(bytes);
    try {
      compiled(model, plain);
      await model.fit(
        images,
        labels,
        options(() => {}),
      );
      model.toCheckpoint();
    } finally {
      model.dispose();
    }
  },
};
