/** The receipt of a run that was made in Node is verified in every runtime, and one of another run is rejected. */
import {
  FormatError,
  layers,
  loadModel,
  losses,
  optimizers,
  regularizers,
  schedules,
  sequential,
  tensor,
} from "im2row";
import type { Engine, FitOptions, History, Model, Tensor } from "im2row";
import { receiptOf, verifyReceipt } from "im2row/receipts";
import type { TrainingReceipt, Verification } from "im2row/receipts";
import { random } from "../support/random.ts";
import type { Case } from "./case.ts";
import { rejects, same } from "./expect.ts";
import golden from "./receipt.json" with { type: "json" };

const COUNT = 60;

/** Images of noise with classes, and the run that the receipt is of. */
const data = (): { images: Tensor; labels: Int32Array } => ({
  images: tensor(random(91).uniform(COUNT * 9 * 8 * 2), [COUNT, 9, 8, 2]),
  labels: Int32Array.from(random(92).integers(COUNT, 0, 3)),
});

export function receiptModel(engine: Engine): Model {
  const model = sequential({
    inputShape: [9, 8, 2],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 3, activation: "relu" }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 4, kernelRegularizer: regularizers.l2(0.001) }),
    ],
    seed: 2 ** 33 + 7,
  });
  const learningRate = schedules.warmUp({
    steps: 4,
    learningRate: schedules.exponentialDecay({ learningRate: 0.02, decaySteps: 5, decayRate: 0.8 }),
  });
  model.compile({
    engine,
    optimizer: optimizers.adamw({ learningRate, globalClipNorm: 1 }),
    loss: losses.softmaxCrossEntropy({ labelSmoothing: 0.1 }),
    gradientAccumulationSteps: 2,
    useEma: true,
  });
  return model;
}

const OPTIONS: FitOptions = { epochs: 4, batchSize: 7, classWeight: { 1: 2 }, receipt: { every: 4 } };

export function receiptRun(model: Model, options: FitOptions = {}): Promise<History> {
  const { images, labels } = data();
  return model.fit(images, labels, { ...OPTIONS, ...options });
}

const RECEIPT = golden as unknown as TrainingReceipt;
const { steps, digest } = RECEIPT;

const verify = (engine: Engine, receipt: unknown = RECEIPT, options: object = {}): Promise<Verification> =>
  verifyReceipt(receipt as TrainingReceipt, { engine, ...data(), ...options });

/** The file of a run at one of its links, in which one bit of a number may be another. */
async function checkpointAt(engine: Engine, step: number, bit = 0): Promise<Uint8Array> {
  const model = receiptModel(engine);
  let file: Uint8Array = new Uint8Array(0);
  const onBatchEnd = ({ step: now }: { step: number }): unknown => {
    if (now < step) return undefined;
    file = model.toCheckpoint();
    return "stop";
  };
  await receiptRun(model, { onBatchEnd });
  model.dispose();
  if (bit === 0) return file;
  const changed = loadModel(file).weights.get("conv2d.kernel")!;
  const bytes = new Uint8Array(changed.data.buffer, 0, 16);
  // The first numbers of the weight, wherever they lie in the file.
  const at = file.findIndex((_, i) => bytes.every((byte, j) => file[i + j] === byte));
  file[at]! ^= bit;
  return file;
}

async function expectRejected(engine: Engine): Promise<void> {
  const { images, labels } = data();
  const bits = new Int32Array(images.data.buffer);
  bits[1234]! ^= 1;
  const reason = "the samples are others: their tree has another root";
  same("an image", await verify(engine, RECEIPT, { images }), {
    ok: false,
    step: 0,
    between: [0, 4],
    reason,
  });
  labels[COUNT - 1]! ^= 1;
  same("a label", (await verify(engine, RECEIPT, { labels })).ok, false);
  const options = { ...RECEIPT.options, batchSize: 6 };
  same("an option", await verify(engine, { ...RECEIPT, options }), {
    ok: false,
    step: 0,
    between: [0, steps],
    reason: "a part of the receipt was changed: its chain does not end as it says",
  });
  const checkpoint = await checkpointAt(engine, 8, 1);
  same("a weight", await verify(engine, RECEIPT, { checkpoint }), {
    ok: false,
    step: 8,
    between: [8, 8],
    reason: "the checkpoint is not the state after step 8",
  });
}

async function expectOutput(engine: Engine): Promise<void> {
  const model = receiptModel(engine);
  const { images } = data();
  const receipt = await receiptOf(model, images, model.predict(images));
  same("the output", await verifyReceipt(receipt, { model, input: images }), { ok: true });
  const other = { shape: images.shape, data: images.data.map((value, i) => (i === 99 ? -value : value)) };
  same("another input", (await verifyReceipt(receipt, { model, input: other })).ok, false);
  model.dispose();
}

export const receiptCases: readonly Case[] = [
  {
    name: "the receipt of a run in Node is verified",
    run: async ({ engine }) =>
      same("whole", await verify(engine), { ok: true, from: 1, to: steps, step: steps, digest }),
  },
  {
    name: "a part of the run of a receipt is verified from a checkpoint",
    async run({ engine }) {
      const checkpoint = await checkpointAt(engine, 7);
      const result = await verify(engine, RECEIPT, { checkpoint, to: 11 });
      same("steps 8 to 12", result, {
        ok: true,
        from: 8,
        to: 12,
        step: 12,
        digest: RECEIPT.links.digests[2],
      });
    },
  },
  {
    name: "a flipped bit of a weight, an image, a label or an option is rejected",
    run: ({ engine }) => expectRejected(engine),
  },
  {
    name: "a malformed receipt is refused",
    run: ({ engine }) =>
      rejects(
        "links",
        verify(engine, { ...RECEIPT, links: { every: 4, digests: [] } }),
        FormatError,
        `verifyReceipt: links: digests: expected ${RECEIPT.links.digests.length} links of 4 steps, got 0`,
      ),
  },
  { name: "the receipt of an output is verified", run: ({ engine }) => expectOutput(engine) },
];
