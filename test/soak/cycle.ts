/** A life of everything that takes memory: made, used, refused, saved, read again, and given back. */
import {
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Model,
} from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { noise } from "../support/model.ts";
import { randomNet } from "../support/randomNets.ts";

/** Nets that are drawn, in turn; more would keep code and caches warming up. */
const NETS = 16;
/** Cycles from one fresh engine to the next: starting threads takes longer than all the rest. */
const FRESH = 10;

function small(): Model {
  return sequential({
    inputShape: [12, 12, 3],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu" }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 3 }),
    ],
    seed: 1,
  });
}

async function trainAndSave(engine: Engine): Promise<void> {
  const model = small();
  const optimizer = optimizers.adam({ learningRate: 0.001 });
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const [images, labels] = [noise(1, 6, 12, 12, 3), Int32Array.of(0, 1, 2, 0, 1, 2)];
  await model.fit(images, labels, { epochs: 2, batchSize: 4, validationData: [images, labels] });
  model.evaluate(images, labels);
  const bytes = model.toSafetensors();
  const again = loadModel(bytes);
  again.compile({ engine });
  again.predict(images);
  again.loadSafetensors(bytes);
  const session = again.session({ batchSize: 2 });
  session.input.set(images.data.subarray(0, session.input.length));
  session.run();
  const other = again.session({ batchSize: 5 });
  other.run();
  // One is given back by hand, the other with its model.
  session.dispose();
  const net = await loadOnnx(again.toOnnx(), { engine });
  const feed = {
    [net.inputNames[0]!]: tensor(
      new Float32Array(2 * 432),
      net.inputs[0]!.dims.map((size, axis) => (axis === 0 ? 2 : Number(size))),
    ),
  };
  net.predict(feed);
  net.session({ batchSize: 2 }).run();
  net.toOnnx();
  net.dispose();
  again.dispose();
  model.dispose();
}

function trainDrawn(engine: Engine, seed: number): void {
  const { model, optimizer, loss, batch } = randomNet(seed);
  model.compile({ engine, optimizer, loss });
  const { images, labels } = batch(seed, 2);
  model.trainOnBatch(images, labels);
  model.predict(images);
  model.dispose();
}

function eager(engine: Engine): void {
  const x = noise(2, 2, 9, 9, 4);
  const filter = noise(3, 3, 3, 4, 6);
  const y = engine.conv2d(x, filter, { padding: "same", activation: "relu" });
  engine.conv2dBackpropInput(y, filter, x.shape, { padding: "same" });
  engine.conv2dBackpropFilter(x, y, filter.shape, { padding: "same" });
  engine.maxPool2d(x, { poolSize: 2 });
  engine.matMul(noise(4, 5, 6), noise(5, 6, 7));
  refuse(() => engine.matMul(noise(4, 5, 6), noise(5, 7, 6)));
}

/** Refusals have to give back what they took. */
function refuse(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (error instanceof ShapeError) return;
    throw error;
  }
  throw new Error("soak: expected a refusal, got none");
}

/** Runs through everything on the engines, and now and then on fresh ones. */
export async function cycle(engines: readonly Engine[], number: number): Promise<void> {
  for (const engine of engines) {
    await trainAndSave(engine);
    trainDrawn(engine, number % NETS);
    eager(engine);
  }
  if (number % FRESH === 0) await fresh();
}

/** Engines that live shortly; a model's memory goes with its engine. */
async function fresh(): Promise<void> {
  for (const threads of [1, 2]) {
    const engine = await load({ threads });
    eager(engine);
    const model = small();
    model.compile({ engine });
    model.predict(noise(1, 1, 12, 12, 3));
    engine.dispose();
  }
}

/** A model that somebody forgot: it has memory on the engine and is held for good. */
export function forget(engine: Engine, held: Model[]): void {
  const model = small();
  model.compile({ engine });
  model.predict(noise(1, 1, 12, 12, 3));
  held.push(model);
}
