/** The engine's memory: views over growth, and everything given back. */
import { loadModel, losses, optimizers, ShapeError } from "im2row";
import type { Context, Case } from "./case.ts";
import { noise } from "../support/model.ts";
import { holds, same, sameBits, throws } from "./expect.ts";
import { tinyNet } from "./nets.ts";

const ROUNDS = 100;
/** Images in the largest batch: its buffers take several pages. */
const LARGEST = 60;
const loss = losses.softmaxCrossEntropy();
const images = noise(2, 6, 7, 7, 3);
const labels = [0, 1, 2, 0, 1, 2];

/** Growth detaches views of the memory, but what was written stays. */
async function expectInputKept({ load }: Context): Promise<void> {
  const engine = await load();
  const model = tinyNet();
  model.compile({ engine });
  const expected = model.predict(images).data;
  const session = model.session({ batchSize: 6 });
  session.input.set(images.data);
  const stale = session.output;
  const { bytes } = engine.memory;
  const large = model.session({ batchSize: 2000 });
  holds("memory", engine.memory.bytes > bytes, `more than ${bytes} bytes`, engine.memory.bytes);
  same("elements of a view from before", stale.length, 0);
  sameBits("input", session.input as Float32Array, images.data);
  session.run();
  sameBits("output", session.output, expected);
  large.dispose();
  model.dispose();
  engine.dispose();
}

/** A session keeps its input from run to run, and sees the weights of later training. */
function expectSessionAlive({ engine }: Context): void {
  const model = tinyNet();
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss });
  const session = model.session({ batchSize: 6 });
  session.input.set(images.data);
  session.run();
  const before = session.output.slice();
  session.run();
  sameBits("the same input", session.output, before);
  const message = "session.run: expected from 1 to 6 images, got 7";
  throws("session.run", () => session.run(7), ShapeError, message);
  model.trainOnBatch(images, labels);
  session.run();
  sameBits("after training", session.output, model.predict(images).data);
  const moved = session.output.some((value, i) => value !== before[i]);
  holds("after training", moved, "other outputs", [...session.output]);
  model.dispose();
  throws(
    "session",
    () => session.run(),
    Error,
    "session: expected a live session, got one that was disposed",
  );
}

/** An operator works on while the memory grows, and does not grow it again for the same call. */
async function expectGrowth({ load }: Context): Promise<void> {
  const engine = await load();
  const [a, b] = [noise(1, 300, 300), noise(2, 300, 300)];
  const small = (): Float32Array => engine.matMul(noise(3, 2, 2), noise(4, 2, 2)).data;
  const before = small();
  const { data } = engine.matMul(a, b);
  const { bytes } = engine.memory;
  holds("memory", bytes > 3 * 300 * 300 * 4, "room for three matrices", bytes);
  for (let call = 0; call < 10; call++) sameBits("the same product", engine.matMul(a, b).data, data);
  same("bytes held", engine.memory.bytes, bytes);
  sameBits("a small product", small(), before);
  engine.dispose();
}

/** Models read from files, trained and disposed of, on one engine. What the largest batches left free is used again. */
async function expectNothingKept({ load }: Context): Promise<void> {
  const engine = await load();
  const many = noise(3, LARGEST, 7, 7, 3);
  const classes = Int32Array.from({ length: LARGEST }, (_, i) => i % 3);
  let bytes = tinyNet().toSafetensors();
  let afterSecond = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const model = loadModel(bytes);
    model.compile({ engine, optimizer: optimizers.adamw(), loss });
    const batchSize = round <= 2 ? LARGEST : 1 + ((round * 7) % LARGEST);
    await model.fit(many, classes, { batchSize, validationData: [images, labels] });
    model.predict(many, { batchSize });
    model.session({ batchSize });
    bytes = model.toSafetensors();
    holds(`round ${round}`, engine.memory.used > 0, "memory in use", engine.memory.used);
    model.dispose();
    same(`round ${round}: memory in use`, engine.memory.used, 0);
    if (round === 2) afterSecond = engine.memory.bytes;
  }
  same("bytes held", engine.memory.bytes, afterSecond);
  engine.dispose();
}

/** Many engines, each for one model, come and go without growth. */
async function expectEnginesGone({ load }: Context): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const engine = await load({ maximumMemory: 2 ** 20 });
    const model = tinyNet(round);
    model.compile({ engine, optimizer: optimizers.adam(), loss });
    model.trainOnBatch(images, labels);
    model.dispose();
    same(`round ${round}: memory in use`, engine.memory.used, 0);
    engine.dispose();
  }
}

export const memoryCases: readonly Case[] = [
  { name: "memory that grows between input.set and run keeps the input", run: expectInputKept },
  { name: "a session keeps its input and sees new weights", run: expectSessionAlive },
  { name: "an operator grows the memory once", run: expectGrowth },
  { name: `${ROUNDS} × load, compile, train, dispose on one engine keep nothing`, run: expectNothingKept },
  { name: `${ROUNDS} × an engine, a model, a step, dispose keep nothing`, run: expectEnginesGone },
];
