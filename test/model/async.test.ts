/** `predictAsync` and `evaluateAsync`: the bits of `predict` and `evaluate`, turns for others, and no mixed numbers. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  input,
  layers,
  load,
  losses,
  metrics,
  model as modelOf,
  OptionError,
  optimizers,
  ShapeError,
  type Engine,
  type Metric,
  type Model,
} from "im2row";
import * as inference from "im2row/inference";
import { tinyNet } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";

const COUNT = 50;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const training = {
  optimizer: optimizers.sgd({ learningRate: 0.1 }),
  loss: losses.softmaxCrossEntropy(),
  metrics: [metrics.topK({ k: 2 })],
};

let engine: Engine;
let model: Model;

beforeEach(async () => {
  engine = await load();
  model = tinyNet();
  model.compile({ engine, ...training });
});
afterEach(() => {
  vi.restoreAllMocks();
  engine.dispose();
});

/** Lets 12 ms go by whenever the time is asked for, so that others get a turn after each batch. */
function hurry(): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 12));
}

/** The methods on the test's data, by name, with the result of the one that does not hand control back. */
const RUNS = {
  predictAsync: {
    expected: (batchSize?: number) => model.predict(images, { batchSize }),
    start: (options: inference.AsyncBatchOptions) => model.predictAsync(images, options),
  },
  evaluateAsync: {
    expected: (batchSize?: number) => model.evaluate(images, labels, { batchSize }),
    start: (options: inference.AsyncBatchOptions) => model.evaluateAsync(images, labels, options),
  },
} as const;
const NAMES = ["predictAsync", "evaluateAsync"] as const;

describe.each(NAMES)("%s", (name) => {
  const { expected, start } = RUNS[name];

  it.each([1, 7, 50, 64])("has the same bits in batches of %i", async (batchSize) => {
    expect(await start({ batchSize })).toEqual(expected(batchSize));
  });

  it("gives a timer, a message and a promise their turns between batches", async () => {
    hurry();
    const seen: string[] = [];
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => seen.push("message");
    port2.postMessage(1);
    setTimeout(() => seen.push("timer"), 0);
    void Promise.resolve().then(() => seen.push("promise"));
    // A timer of 0 ms comes after one, by Node's clock.
    const run = start({ batchSize: 1 }).then(async (result) => {
      seen.push("end");
      return result;
    });
    const until = Date.now() + 2;
    while (Date.now() < until);
    expect(await run).toEqual(expected(1));
    expect(seen[0]).toBe("promise");
    expect(seen.slice(0, 3).sort()).toEqual(["message", "promise", "timer"]);
    expect(seen.at(-1)).toBe("end");
    port1.close();
  });

  it("hands control back no more often than every 12 ms", async () => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    const immediates = vi.spyOn(globalThis, "setImmediate");
    await start({ batchSize: 1 });
    expect(immediates).not.toHaveBeenCalled();
    hurry();
    await start({ batchSize: 5 });
    expect(immediates).toHaveBeenCalledTimes(10);
  });

  it("ends by its signal before the first batch and between two", async () => {
    const { used } = engine.memory;
    const aborted = start({ signal: AbortSignal.abort(new Error("never mind")) });
    await expect(aborted).rejects.toThrow(/^never mind$/);
    // No buffers were planned.
    expect(engine.memory.used).toBe(used);
    hurry();
    const controller = new AbortController();
    const ending = start({ batchSize: 1, signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(ending).rejects.toMatchObject({ name: "AbortError" });
    expect(await start({ signal: undefined })).toEqual(expected());
  });

  it("keeps its numbers while others run on the same model", async () => {
    hurry();
    const [two, three, few] = [expected(2), expected(3), model.predict(noise(2, 9, 7, 7, 3))];
    const first = start({ batchSize: 2 });
    const second = start({ batchSize: 3 });
    const third = model.predictAsync(noise(2, 9, 7, 7, 3), { batchSize: 1 });
    // A larger session takes the place of theirs.
    expect(model.predict(noise(2, 9, 7, 7, 3), { batchSize: 9 })).toEqual(few);
    setImmediate(() => model.evaluate(images, labels));
    expect(await first).toEqual(two);
    expect(await second).toEqual(three);
    expect(await third).toEqual(few);
  });

  it.each<[string, () => unknown, string]>([
    [
      "a training step",
      () => model.trainOnBatch(noise(3, 1, 7, 7, 3), [1]),
      "expected the same weights to the end, got others meanwhile, as training or setWeights() leave them",
    ],
    [
      "setWeights",
      () => model.setWeights(tinyNet().weights),
      "expected the same weights to the end, got others",
    ],
    ["fit", () => model.fit(images, labels), "expected the same weights to the end, got others"],
    [
      "another compile",
      () => model.compile({ engine, ...training }),
      "expected the model to the end, got one that was disposed or compiled again meanwhile",
    ],
    [
      "dispose",
      () => model.dispose(),
      "expected the model to the end, got one that was disposed or compiled again",
    ],
    [
      "dispose of the engine",
      () => engine.dispose(),
      "expected a live engine to the end, got one that was disposed",
    ],
    [
      "images that are taken away",
      () => structuredClone(taken.data, { transfer: [taken.data.buffer] }),
      "detached",
    ],
  ])("is refused when there is meanwhile %s", async (_, change, message) => {
    hurry();
    taken = noise(1, COUNT, 7, 7, 3);
    const run =
      name === "predictAsync"
        ? model.predictAsync(taken, { batchSize: 1 })
        : model.evaluateAsync(taken, labels, { batchSize: 1 });
    run.catch(() => {});
    let result: unknown;
    setImmediate(() => (result = change()));
    await expect(run).rejects.toThrow(message.startsWith("detached") ? message : `${name}: ${message}`);
    await result;
    // Nothing is left of it.
    if (!engine.runtime.disposed) {
      model.compile({ engine, ...training });
      expect(await start({ batchSize: 4 })).toEqual(expected(4));
    }
  });

  it("of a single batch is done before training goes on", async () => {
    const before = expected();
    const run = start({});
    model.trainOnBatch(images, labels);
    expect(await run).toEqual(before);
    expect(expected()).not.toEqual(before);
  });

  it("refuses bad input by rejecting, and names itself", async () => {
    await expect(start({ batchSize: 0 })).rejects.toThrow(
      `${name}: batchSize: expected a positive integer, got 0`,
    );
    await expect(start({ signal: {} as never })).rejects.toThrow(
      `${name}: signal: expected an AbortSignal, got {}`,
    );
    await expect(start({ epochs: 1 } as never)).rejects.toThrow(OptionError);
    const odd = noise(1, 2, 7, 7, 1);
    const run = name === "predictAsync" ? model.predictAsync(odd) : model.evaluateAsync(odd, [0, 1]);
    await expect(run).rejects.toThrow(ShapeError);
    await expect(run).rejects.toThrow(`${name}: images: expected shape n×7×7×3, got 2×7×7×1`);
    model.dispose();
    await expect(start({})).rejects.toThrow(`${name}: expected a compiled model, got one without an engine`);
  });

  it("counts as use of the model until it ends", async () => {
    const bare = inference.loadModel(model.toSafetensors());
    bare.compile({ engine });
    expect(bare.inUse).toBe(false);
    const run = bare.predictAsync(images);
    expect(bare.inUse).toBe(true);
    await run;
    expect(bare.inUse).toBe(false);
  });
});

/** Images that a test takes away. */
let taken = images;

it("predictAsync gives the outputs of a graph by name, with types of their own", async () => {
  const x = input({ shape: [7, 7, 3] });
  const flat = layers.flatten().apply(x);
  const outputs = {
    classes: layers.dense({ units: 3, name: "classes" }).apply(flat),
    box: layers.dense({ units: 4, name: "box" }).apply(flat),
  };
  const net = modelOf({ inputs: x, outputs, seed: 1 }).compile({ engine });
  const { classes, box } = await net.predictAsync({ input: images }, { batchSize: 8 });
  expect({ classes, box }).toEqual(net.predict({ input: images }));
  await expect(net.predictAsync(images)).rejects.toThrow(
    "predictAsync: images by name: expected a model with one, got 2",
  );
});

it("a metric may not call the model that it measures, whose outputs would be others before they are read", async () => {
  const { loss } = model.evaluate(images, labels);
  const calls = {
    predict: () => model.predict(images),
    evaluate: () => model.evaluate(images, labels),
    dispose: () => model.dispose(),
    compile: () => model.compile({ engine, ...training }),
  };
  for (const [name, call] of Object.entries(calls)) {
    let ignored: unknown;
    const curious: Metric = {
      name: "curious",
      start: () => ({
        add() {
          try {
            call();
          } catch (error) {
            ignored = error;
          }
        },
        result: () => 0,
      }),
    };
    model.compile({ engine, ...training, metrics: [curious] });
    expect(model.evaluate(images, labels).loss).toBe(loss);
    expect(String(ignored)).toBe(
      `Error: ${name}: expected a model between two batches, got one within a batch, as in a metric`,
    );
    expect((await model.evaluateAsync(images, labels)).loss).toBe(loss);
  }
});

it("evaluateAsync returns figures typed by the metrics of compile", async () => {
  let rows = 0;
  const counted: Metric<number, "counted"> = {
    name: "counted",
    start: () => ({ add: () => void rows++, result: () => rows }),
  };
  const own = tinyNet().compile({ engine, ...training, metrics: [counted] });
  const figures: { counted: number } = await own.evaluateAsync(images, labels, { batchSize: 7 });
  expect(figures.counted).toBe(COUNT);
});

it("fit's validation is refused as well when the weights change within it", async () => {
  hurry();
  const validationData = [noise(4, 200, 7, 7, 3), new Int32Array(200)] as const;
  const epochs = vi.fn();
  const run = model.fit(images, labels, {
    batchSize: 64,
    validationData,
    onBatchEnd: () => void setImmediate(() => setImmediate(() => model.setWeights(tinyNet().weights))),
    onEpochEnd: epochs,
  });
  await expect(run).rejects.toThrow("fit: validationData: expected the same weights to the end");
  expect(epochs).not.toHaveBeenCalled();
});
