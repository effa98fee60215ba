/** Work that fails on the way: engines that are gone, memories at their limit, steps that diverge. */
import { layers, losses, MemoryError, optimizers, sequential, tensor, TrainingError } from "im2row";
import type { Tensor } from "im2row";
import { noise, weightBits } from "../support/model.ts";
import type { Case, Context } from "./case.ts";
import { holds, rejects, same, sameBits, throws } from "./expect.ts";
import { tinyNet } from "./nets.ts";

const loss = losses.softmaxCrossEntropy();
const [x, y] = [noise(1, 4, 7, 7, 3), Int32Array.of(0, 1, 2, 0)];

const zeros = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);

/** Methods of models, sessions and engines whose engine is gone or was never there. */
async function expectDisposed({ load }: Context): Promise<void> {
  const engine = await load();
  const model = tinyNet();
  const calls: Record<string, () => unknown> = {
    trainOnBatch: () => model.trainOnBatch(x, y),
    evaluate: () => model.evaluate(x, y),
    predict: () => model.predict(x),
    session: () => model.session(),
  };
  for (const [where, call] of Object.entries(calls)) {
    const message = `${where}: expected a compiled model, got one without an engine`;
    throws(where, call, Error, message);
  }
  model.compile({ engine, optimizer: optimizers.adam(), loss });
  const session = model.session();
  engine.dispose();
  for (const [where, call] of Object.entries(calls)) {
    throws(where, call, Error, `${where}: expected a live engine, got one that was disposed`);
  }
  const fit = model.fit(x, y);
  await rejects("fit", fit, Error, "fit: expected a live engine, got one that was disposed");
  throws("session", () => session.run(), Error, "session: expected a live engine, got one that was disposed");
  const product = (): Tensor => engine.matMul(zeros(1, 1), zeros(1, 1));
  throws("matMul", product, Error, "engine: expected a live engine, got one that was disposed");
  throws("memory", () => engine.memory, Error, "engine: expected a live engine, got one that was disposed");
  session.dispose();
  model.dispose();
  engine.dispose();
}

/** A memory that cannot grow refuses by name, with the bytes needed and allowed, and goes on. */
async function expectLimit({ load }: Context): Promise<void> {
  const maximumMemory = 2 ** 18;
  const engine = await load({ maximumMemory });
  const model = tinyNet();
  model.compile({ engine, optimizer: optimizers.adam(), loss });
  const expected = model.predict(x).data;
  const { used } = engine.memory;
  const many = zeros(2000, 7, 7, 3);
  const room = "expected room for \\d+ bytes, got a memory of at most 262144 bytes with \\d+ in use";
  const refused: Record<string, () => unknown> = {
    matMul: () => engine.matMul(zeros(600, 600), zeros(600, 600)),
    model: () => model.session({ batchSize: 2000 }),
    "model: weights": () =>
      sequential({ inputShape: [100], layers: [layers.dense({ units: 800 })] }).compile({ engine }),
  };
  for (const [where, call] of Object.entries(refused)) {
    throws(where, call, MemoryError, new RegExp(`^${where}: (.*: )?${room} \\(load\\(\\{ maximumMemory`));
    same("memory in use", engine.memory.used, used);
  }
  const train = (): number => model.trainOnBatch(many, new Int32Array(2000));
  throws("trainOnBatch", train, MemoryError, new RegExp(`^model: .*: ${room}`));
  sameBits("outputs", model.predict(x).data, expected);
  holds(
    "memory",
    engine.memory.bytes <= maximumMemory,
    `at most ${maximumMemory} bytes`,
    engine.memory.bytes,
  );
  model.dispose();
  engine.dispose();
}

/** A step whose loss is not finite is named by its number, and changes nothing. */
function expectDivergence({ engine }: Context): void {
  const model = tinyNet();
  model.compile({ engine, optimizer: optimizers.adam(), loss });
  model.trainOnBatch(x, y);
  const before = weightBits(model);
  const poisoned = tensor(x.data.slice().fill(NaN, 50, 51), x.shape);
  const message =
    /^trainOnBatch: step 2: expected finite numbers, but the loss is NaN\. The weights are those after step 1;/;
  throws("NaN", () => model.trainOnBatch(poisoned, y), TrainingError, message);
  same("weights", weightBits(model), before);
  model.dispose();
}

export const errorCases: readonly Case[] = [
  { name: "a disposed engine is named by all that needs it", run: expectDisposed },
  { name: "a memory at its limit refuses by name and bytes, and goes on", run: expectLimit },
  { name: "a step that diverges is named, and changes nothing", run: expectDivergence },
];
