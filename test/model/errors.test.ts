/** Bad data, diverging training, methods at the wrong time: errors that say where, and leave all as it was. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  TrainingError,
  type Engine,
  type Model,
  type Optimizer,
  type Tensor,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

/** Callers without types may pass anything. */
type Any = never;

const loss = losses.softmaxCrossEntropy();
const x = noise(1, 4, 7, 7, 3);
const y = Int32Array.of(0, 1, 2, 0);
const ones = (...shape: number[]): Tensor =>
  tensor(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), shape);

/** Labels of `n` equal rows. */
const equalRows = (n: number, row: number[]): Tensor => tensor(Array(n).fill(row).flat(), [n, row.length]);

let engine: Engine;
let model: Model;

function compile(optimizer: Optimizer = optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })): void {
  model.compile({ engine, optimizer, loss });
}

beforeEach(async () => {
  engine = await load();
  model = tinyNet();
  compile();
});
afterEach(() => {
  model.dispose();
  engine.dispose();
});

describe("images and labels that do not fit", () => {
  const images: [given: Any, message: string][] = [
    [noise(1, 4, 7, 21) as Any, "images: expected shape n×7×7×3, got 4×7×21"],
    [noise(1, 7, 7, 3) as Any, "images: expected shape n×7×7×3, got 7×7×3"],
    [noise(1, 4, 7, 7, 1) as Any, "images: expected shape n×7×7×3, got 4×7×7×1"],
    [noise(1, 4, 8, 7, 3) as Any, "images: expected shape n×7×7×3, got 4×8×7×3"],
    [
      { shape: [4, 7, 7, 3], data: new Float32Array(5) } as Any,
      "images.data: expected 588 elements for shape 4×7×7×3, got 5",
    ],
    [{ shape: [4, 7, 7, 3], data: [1] } as Any, "images.data: expected a Float32Array, got [1]"],
    [
      { shape: [0, 7, 7, 3], data: new Float32Array(0) } as Any,
      "images.shape: expected a shape of positive integers, got [0,7,7,3]",
    ],
    [
      { shape: [], data: new Float32Array(1) } as Any,
      "images: expected a batch of images, got a single number",
    ],
    [undefined as Any, "images.shape: expected a shape of positive integers, got undefined"],
    [new Float32Array(588) as Any, "images.shape: expected a shape of positive integers, got undefined"],
  ];

  it.each(images.map(([given, message]) => [message, given] as const))("%s", async (message, given) => {
    const before = weightBits(model);
    for (const [where, call] of Object.entries({
      trainOnBatch: () => model.trainOnBatch(given, y),
      evaluate: () => model.evaluate(given, y),
      predict: () => model.predict(given),
    })) {
      expect(call).toThrow(ShapeError);
      expect(call).toThrow(`${where}: ${message}`);
    }
    await expect(model.fit(given, y)).rejects.toThrow(`fit: ${message}`);
    await expect(model.fit(x, y, { validationData: [given, y] })).rejects.toThrow(
      `fit: validationData: ${message}`,
    );
    expect(weightBits(model)).toEqual(before);
  });

  const labels: [given: Any, type: typeof ShapeError | typeof OptionError, message: string][] = [
    [[0, 1, 3, 0] as Any, OptionError, "labels[2]: expected a class from 0 to 2, got 3"],
    [[0, 1, -1, 0] as Any, OptionError, "labels[2]: expected a class from 0 to 2, got -1"],
    [[0, 0.5, 1, 0] as Any, OptionError, "labels[1]: expected a class from 0 to 2, got 0.5"],
    [[0, 1, 2, NaN] as Any, OptionError, "labels[3]: expected a class from 0 to 2, got NaN"],
    [tensor([0, 1, 2, 7], [4]) as Any, OptionError, "labels[3]: expected a class from 0 to 2, got 7"],
    [[0, 1, 2] as Any, ShapeError, "labels: expected 4 labels, got 3"],
    [
      equalRows(4, [0.5, 0.3, 0.1]) as Any,
      OptionError,
      "labels[0]: expected numbers that sum to 1, got a sum of 0.9",
    ],
    [equalRows(4, [255, 0, 0]) as Any, OptionError, "labels[0, 0]: expected a number from 0 to 1, got 255"],
    [
      equalRows(4, [0.5, -0.5, 1]) as Any,
      OptionError,
      "labels[0, 1]: expected a number from 0 to 1, got -0.5",
    ],
    [equalRows(4, [1, 0, NaN]) as Any, OptionError, "labels[0, 2]: expected a number from 0 to 1, got NaN"],
    [["0", 1, 2, 0] as Any, OptionError, 'labels[0]: expected a class from 0 to 2, got "0"'],
    [[0, 1n, 2, 0] as Any, OptionError, "labels[1]: expected a class from 0 to 2, got 1"],
    [[0, undefined, 2, 0] as Any, OptionError, "labels[1]: expected a class from 0 to 2, got undefined"],
    [
      BigInt64Array.of(0n, 1n, -2n, 0n) as Any,
      OptionError,
      "labels[2]: expected a class from 0 to 2, got -2",
    ],
    [Float64Array.of(0, 1, 2, 1e-9) as Any, OptionError, "labels[3]: expected a class from 0 to 2, got 1e-9"],
    [ones(4, 2) as Any, ShapeError, "labels: expected shape 4×3, got 4×2"],
    [ones(3, 3) as Any, ShapeError, "labels: expected shape 4×3, got 3×3"],
    [ones(4, 3, 1) as Any, ShapeError, "labels: expected shape 4×3, got 4×3×1"],
    [{ shape: [4, 3], data: [1] } as Any, ShapeError, "labels.data: expected a Float32Array, got [1]"],
    [null as Any, ShapeError, "labels: expected an array or a tensor, got null"],
    [undefined as Any, ShapeError, "labels: expected an array or a tensor, got undefined"],
  ];

  it.each(labels.map(([given, type, message]) => [message, given, type] as const))(
    "%s",
    async (message, given, type) => {
      const before = weightBits(model);
      const train = () => model.trainOnBatch(x, given);
      expect(train).toThrow(type);
      expect(train).toThrow(`trainOnBatch: ${message}`);
      expect(() => model.evaluate(x, given)).toThrow(`evaluate: ${message}`);
      await expect(model.fit(x, given)).rejects.toThrow(`fit: ${message}`);
      await expect(model.fit(x, y, { validationData: [x, given] })).rejects.toThrow(
        `fit: validationData: ${message}`,
      );
      expect(weightBits(model)).toEqual(before);
      expect(model.trainOnBatch(x, y)).toBeGreaterThan(0);
    },
  );

  it("class numbers for mean squared error, and for an output of several rows", () => {
    const optimizer = optimizers.sgd({ learningRate: 0.1 });
    model.compile({ engine, optimizer, loss: losses.meanSquaredError() });
    expect(() => model.trainOnBatch(x, y)).toThrow(
      "trainOnBatch: labels: expected a tensor 4×3 for meanSquaredError, got 4 numbers",
    );
    const rows = sequential({ inputShape: [7, 7, 3], layers: [layers.dense({ units: 2 })] });
    rows.compile({ engine, optimizer, loss });
    expect(() => rows.trainOnBatch(x, y)).toThrow(
      "trainOnBatch: labels: expected a tensor 4×7×7×2 for several rows of output an image, got 4 numbers",
    );
    rows.dispose();
  });

  it("a session's run of more or fewer images than it has room for", () => {
    const session = model.session({ batchSize: 2 });
    for (const n of [0, 3, 1.5, NaN]) {
      expect(() => session.run(n)).toThrow(`session.run: expected from 1 to 2 images, got ${n}`);
    }
  });
});

describe("training that diverges", () => {
  const poison = (value: number): Tensor =>
    tensor(
      x.data.map((v, i) => (i === 50 ? value : v)),
      x.shape,
    );
  const bad: [name: string, run: () => unknown, says: string][] = [
    ["an image with NaN", () => model.trainOnBatch(poison(NaN), y), "the loss is NaN"],
    ["an infinite image", () => model.trainOnBatch(poison(Infinity), y), "the loss is NaN"],
  ];

  it.each(bad)("by %s stops with the step's number and the weights as they were", (_, run, says) => {
    model.trainOnBatch(x, y);
    model.trainOnBatch(x, y);
    const before = weightBits(model);
    expect(run).toThrow(TrainingError);
    expect(run).toThrow(
      `trainOnBatch: step 3: expected finite numbers, but ${says}. The weights are those after step 2;`,
    );
    expect(run).toThrow(expect.objectContaining({ step: 3 }));
    expect(weightBits(model)).toEqual(before);
  });

  it("by an infinite loss stops with the weights as they were", () => {
    const net = sequential({ inputShape: [1], layers: [layers.dense({ units: 3 })] });
    net.setWeights(new Map([...net.weights, ["dense.kernel", tensor([-3e38, 0, 0], [1, 3])]]));
    net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss });
    const before = weightBits(net);
    // The logits are −∞, 0 and 0.
    expect(() => net.trainOnBatch(tensor([3e38], [1, 1]), [0])).toThrow(
      "trainOnBatch: step 1: expected finite numbers, but the loss is Infinity.",
    );
    expect(weightBits(net)).toEqual(before);
    net.dispose();
  });

  it.each(["sgd", "adam", "adamw"] as const)(
    "by a learning rate that overflows in %s leaves weights and state as they were",
    (type) => {
      const twin = tinyNet();
      let overflow = false;
      const learningRate = (): number => (overflow ? 3.4e38 : 0.01);
      for (const net of [model, twin]) {
        const optimizer = type === "sgd" ? { momentum: 0.9, learningRate } : { learningRate };
        net.compile({ engine, optimizer: optimizers[type](optimizer), loss });
        net.trainOnBatch(x, y);
      }
      const before = weightBits(model);
      overflow = true;
      const large = tensor(
        x.data.map((v) => 1000 * v),
        x.shape,
      );
      expect(() => model.trainOnBatch(large, y)).toThrow(
        "trainOnBatch: step 2: expected finite numbers, but a gradient or an updated weight is not finite",
      );
      expect(weightBits(model)).toEqual(before);
      overflow = false;
      // Later steps go on as if this one had never been tried.
      for (const net of [model, twin]) net.trainOnBatch(x, y);
      expect(weightBits(model)).toEqual(weightBits(twin));
      twin.dispose();
    },
  );

  it.each([{ clipValue: 1 }, { globalClipNorm: 1 }, {}])(
    "by an infinite gradient, clipped by %j",
    (bounds) => {
      const net = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })] });
      net.compile({
        engine,
        optimizer: optimizers.sgd({ learningRate: 0.1, ...bounds }),
        loss: losses.meanSquaredError(),
      });
      const before = weightBits(net);
      // The loss, in float64, is 9e76.
      expect(() => net.trainOnBatch(ones(1, 1), tensor([3e38], [1, 1]))).toThrow(
        "trainOnBatch: step 1: expected finite numbers, but a gradient or an updated weight is not finite",
      );
      expect(weightBits(net)).toEqual(before);
      net.dispose();
    },
  );

  it("in the middle of fit keeps the steps before, and fit can be called again", async () => {
    const images = noise(2, 12, 7, 7, 3);
    images.data[8 * 147] = NaN;
    const labels = Array.from({ length: 12 }, (_, i) => i % 3);
    const running = model.fit(images, labels, { batchSize: 4, shuffle: false, epochs: 3 });
    await expect(running).rejects.toMatchObject({ name: "TrainingError", step: 3 });
    const twin = tinyNet();
    twin.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }), loss });
    for (const start of [0, 4]) {
      const batch = tensor(images.data.slice(start * 147, (start + 4) * 147), [4, 7, 7, 3]);
      twin.trainOnBatch(batch, labels.slice(start, start + 4));
    }
    expect(weightBits(model)).toEqual(weightBits(twin));
    await model.fit(x, y);
    twin.dispose();
  });

  it("by a learning rate that is none says so, and changes nothing", () => {
    compile(optimizers.sgd({ learningRate: (step) => (step === 1 ? NaN : 0.1) }));
    model.trainOnBatch(x, y);
    const before = weightBits(model);
    expect(() => model.trainOnBatch(x, y)).toThrow(
      "sgd: learningRate of step 1: expected a finite number ≥ 0, got NaN",
    );
    expect(weightBits(model)).toEqual(before);
  });
});

describe("methods at the wrong time", () => {
  const bare = tinyNet();
  const calls = (net: Model): [where: string, call: () => unknown][] => [
    ["trainOnBatch", () => net.trainOnBatch(x, y)],
    ["gradients", () => net.gradients],
    ["evaluate", () => net.evaluate(x, y)],
    ["predict", () => net.predict(x)],
    ["session", () => net.session()],
  ];

  it("before compile", async () => {
    for (const [where, call] of calls(bare)) {
      expect(call).toThrow(`${where}: expected a compiled model, got one without an engine`);
    }
    await expect(bare.fit(x, y)).rejects.toThrow("fit: expected a compiled model, got one without an engine");
    bare.dispose();
    expect(bare.summary()).toContain("conv2d");
  });

  it("without an optimizer, or without a loss", async () => {
    model.compile({ engine });
    const alone = "expected a model compiled with an optimizer and a loss, got an engine alone";
    expect(() => model.trainOnBatch(x, y)).toThrow(`trainOnBatch: ${alone}`);
    await expect(model.fit(x, y)).rejects.toThrow(`fit: ${alone}`);
    expect(() => model.evaluate(x, y)).toThrow("evaluate: expected a model compiled with a loss, got none");
    expect(model.predict(x).shape).toEqual([4, 3]);
    model.compile({ engine, loss });
    expect(model.evaluate(x, y).loss).toBeGreaterThan(0);
  });

  it("after engine.dispose, where dispose stays harmless", async () => {
    const session = model.session();
    engine.dispose();
    for (const [where, call] of calls(model)) {
      expect(call).toThrow(`${where}: expected a live engine, got one that was disposed`);
    }
    await expect(model.fit(x, y)).rejects.toThrow("fit: expected a live engine, got one that was disposed");
    expect(() => session.run()).toThrow("session: expected a live engine, got one that was disposed");
    expect(() => session.input).toThrow("session: expected a live engine, got one that was disposed");
    expect(() => engine.matMul(ones(1, 1), ones(1, 1))).toThrow("engine: expected a live engine");
    session.dispose();
    model.dispose();
    engine.dispose();
  });

  it("to compile on another engine after the weights went with the first, until there are others", async () => {
    const other = await load();
    const { weights } = model;
    const file = model.toSafetensors();
    for (const give of [() => model.setWeights(weights), () => model.loadSafetensors(file)]) {
      const first = await load();
      model.compile({ engine: first });
      first.dispose();
      expect(() => model.compile({ engine: other })).toThrow(
        "compile: expected weights, but they went with the engine that was disposed: " +
          "give others by setWeights() or loadSafetensors() first",
      );
      expect(other.memory.used).toBe(0);
      const few = new Map([...weights].slice(1));
      expect(() => model.setWeights(few)).toThrow(
        "conv2d.kernel: expected shape 3×3×3×4, got no such tensor",
      );
      give();
      expect(model.weights).toEqual(weights);
      model.compile({ engine: other });
      expect(model.predict(x).shape).toEqual([4, 3]);
      model.dispose();
    }
    expect(other.memory.used).toBe(0);
    other.dispose();
  });

  it("to compile on an engine that was disposed, and the model stays where it was", async () => {
    const dead = await load();
    dead.dispose();
    const session = model.session();
    const message = "compile: engine: expected a live engine, got one that was disposed";
    expect(() => model.compile({ engine: dead })).toThrow(message);
    expect(model.trainOnBatch(x, y)).toBeGreaterThan(0);
    session.run();
    engine.dispose();
    expect(() => model.compile({ engine })).toThrow(message);
  });

  it("engine.dispose during fit", async () => {
    const onBatchEnd = (): void => engine.dispose();
    await expect(model.fit(x, y, { batchSize: 2, onBatchEnd })).rejects.toThrow("expected a live engine");
  });
});

it("weights beyond the addressable memory are refused by the layer's name", () => {
  const build = () =>
    sequential({ inputShape: [2], layers: [layers.dense({ units: 2 ** 40, name: "wide" })] });
  expect(build).toThrow(ShapeError);
  expect(build).toThrow(
    "wide: kernel: expected at most 1073741824 weights in all, got shape 2×1099511627776",
  );
});
