/**
 * The same bits: from run to run, from batch size to batch size, from file to model, and from host to host. The digests
 * are golden: a change that alters them says why (CONTRIBUTING.md, "Same bits").
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  sequential,
  tensor,
  type Engine,
  type Model,
  type Optimizer,
  type Tensor,
} from "../../src/index.ts";
import { Random } from "../../src/random.ts";
import { bitsOf } from "../support/float.ts";
import { digest, digits, lenet5, noise, tinyLayers, tinyNet, weightBits } from "../support/model.ts";
import { random } from "../support/random.ts";

const STEPS = 20;
const IMAGE = [12, 10, 4] as const;
const PADDING = [
  [2, 1],
  [1, 2],
] as const;

/** Every kind of layer and activation, but flatten: 12×10×4 → 5×8×8 → 4×7×12 → 3×6×24 → 2×2×24 → 6 → 4. */
function everyLayer(seed: number): Model {
  return sequential({
    inputShape: IMAGE,
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "relu" }),
      layers.conv2d({ filters: 8, kernelSize: 3, strides: [2, 1], activation: { leakyRelu: 0.1 } }),
      layers.dropout({ rate: 0.25 }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: "same", activation: "tanh" }),
      layers.conv2d({ filters: 12, kernelSize: 3, dilationRate: 2, groups: 4, padding: PADDING }),
      layers.activation({ activation: "sigmoid" }),
      layers.maxPooling2d({ poolSize: 2, strides: 1, padding: "same" }),
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, kernelInitializer: "heNormal" }),
      layers.activation({ activation: "leakyRelu" }),
      layers.averagePooling2d({ poolSize: 2, strides: [1, 4], padding: "valid" }),
      layers.activation({ activation: "tanh" }),
      layers.activation({ activation: "linear" }),
      layers.conv2d({ filters: 6, kernelSize: 1, useBias: false, kernelInitializer: "lecunNormal" }),
      layers.activation({ activation: "relu" }),
      layers.globalAveragePooling2d(),
      layers.activation({ activation: "softmax" }),
      layers.dense({ units: 9, activation: "sigmoid", biasInitializer: { constant: 0.1 } }),
      layers.dense({ units: 4, kernelInitializer: "glorotNormal" }),
    ],
    seed,
  });
}

function trainSteps(model: Model, engine: Engine, optimizer: Optimizer, batch: number): string {
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const classes = model.outputShape[0]!;
  for (let step = 0; step < STEPS; step++) {
    const labels = random(1000 + step).integers(batch, 0, classes - 1);
    model.trainOnBatch(noise(step, batch, ...model.inputShape), labels);
  }
  const found = digest(model.weights);
  model.dispose();
  return found;
}

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

describe(`the weights after ${STEPS} steps have the golden digest`, () => {
  it("of LeNet-5 on drawn digits", () => {
    const run = (): [string, number] => {
      const { images, labels } = digits(STEPS * 16, 1);
      const model = lenet5(1);
      const optimizer = optimizers.sgd({ learningRate: 0.05, momentum: 0.9 });
      model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
      const size = 16 * 784;
      let loss = 0;
      for (let step = 0; step < STEPS; step++) {
        const batch = tensor(images.data.slice(step * size, (step + 1) * size), [16, 28, 28, 1]);
        loss = model.trainOnBatch(batch, labels.slice(step * 16, (step + 1) * 16));
      }
      const found = digest(model.weights);
      model.dispose();
      return [found, loss];
    };
    const [found, loss] = run();
    expect(run()).toEqual([found, loss]);
    expect([found, loss]).toEqual(["e15bd2c99827843d", 2.3105405691611227]);
  });

  it.each([
    [optimizers.sgd({ learningRate: 0.1 }), "d99f70edaef8c9d6"],
    [
      optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
      "aec1068585eba98b",
    ],
    [optimizers.adam({ learningRate: (step) => 0.01 / (1 + step) }), "e82fd4996d63725b"],
    [optimizers.adamw({ learningRate: 0.01, weightDecay: 0.1 }), "bf25740e0836c564"],
  ])("of a net of every layer with optimizer %#", (optimizer, golden) => {
    const found = trainSteps(everyLayer(3), engine, optimizer, 5);
    expect(trainSteps(everyLayer(3), engine, optimizer, 5)).toBe(found);
    expect(found).toBe(golden);
  });

  it("of a net with softmax and mean squared error", () => {
    const model = sequential({
      inputShape: [7, 7, 3],
      layers: [
        layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }),
        layers.flatten(),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ units: 3, activation: "softmax" }),
      ],
      seed: 2 ** 53 - 1,
    });
    const optimizer = optimizers.sgd({ learningRate: 0.5 });
    model.compile({ engine, optimizer, loss: losses.meanSquaredError() });
    const rows = tensor(Float32Array.of(1, 0, 0, 0, 0.5, 0.5), [2, 3]);
    for (let step = 0; step < STEPS; step++) model.trainOnBatch(noise(step, 2, 7, 7, 3), rows);
    expect(digest(model.weights)).toBe("f85c18e56a1987f6");
    model.dispose();
  });
});

describe("the same bits", () => {
  /** A net of every layer after a few steps, so that its weights are none that a file could have by chance. */
  function trained(optimizer = optimizers.adam({ learningRate: 0.01 })): Model {
    const model = everyLayer(4);
    model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    const labels = Int32Array.of(0, 3, 1);
    for (let step = 0; step < 5; step++) model.trainOnBatch(noise(step, 3, ...IMAGE), labels);
    return model;
  }

  it("come out of predictions at any batch size, and of a session", () => {
    const model = trained();
    const images = noise(9, 11, ...IMAGE);
    const whole = bitsOf(model.predict(images).data);
    for (const batchSize of [1, 2, 3, 8, 11, 64]) {
      model.compile({ engine });
      expect(bitsOf(model.predict(images, { batchSize }).data)).toEqual(whole);
    }
    const session = model.session({ batchSize: 11 });
    session.input.set(images.data);
    session.run();
    expect(bitsOf(session.output)).toEqual(whole);
    session.run(2);
    expect(bitsOf(session.output.slice(0, 8))).toEqual(whole.slice(0, 8));
    model.dispose();
  });

  it("come out of evaluate whatever was predicted before", () => {
    const [images, labels] = [noise(9, 11, ...IMAGE), random(9).integers(11, 0, 3)];
    const model = trained();
    const first = model.evaluate(images, labels, { batchSize: 3 });
    model.predict(images, { batchSize: 8 });
    expect(model.evaluate(images, labels, { batchSize: 3 })).toEqual(first);
    model.dispose();
  });

  it("come back from a file", () => {
    const model = trained();
    const images = noise(9, 7, ...IMAGE);
    const bytes = model.toSafetensors();
    const again = loadModel(bytes);
    expect(weightBits(again)).toEqual(weightBits(model));
    expect(again.summary()).toBe(model.summary());
    expect(again.toSafetensors()).toEqual(bytes);
    again.compile({ engine });
    expect(bitsOf(again.predict(images).data)).toEqual(bitsOf(model.predict(images).data));
    const other = everyLayer(77);
    other.loadSafetensors(bytes);
    expect(weightBits(other)).toEqual(weightBits(model));
    again.dispose();
    model.dispose();
  });

  it("come out of training that moved to another engine on its way", async () => {
    const second = await load();
    const options = { optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.softmaxCrossEntropy() };
    const [stays, moves] = [tinyNet(), tinyNet()];
    stays.compile({ engine, ...options });
    moves.compile({ engine, ...options });
    for (let step = 0; step < 10; step++) {
      if (step === 5) moves.compile({ engine: second, ...options });
      for (const model of [stays, moves]) {
        model.trainOnBatch(noise(step, 3, 7, 7, 3), [0, 1, 2]);
      }
    }
    expect(weightBits(moves)).toEqual(weightBits(stays));
    stays.dispose();
    moves.dispose();
    expect([engine.memory.used, second.memory.used]).toEqual([0, 0]);
    second.dispose();
  });

  it("come out of fit as of single steps in the order that the seed draws", async () => {
    const [count, batchSize, epochs, seed] = [10, 4, 3, 8];
    const images = noise(1, count, 7, 7, 3);
    const labels = random(1).integers(count, 0, 2);
    const options = {
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.5 }),
      loss: losses.softmaxCrossEntropy(),
    };
    const [fitted, again, stepped] = [tinyNet(seed), tinyNet(seed), tinyNet(seed)];
    for (const model of [fitted, again, stepped]) model.compile(options);
    await fitted.fit(images, labels, { epochs, batchSize });
    await again.fit(images, labels, { epochs, batchSize });

    // The order is drawn from a stream of its own.
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    const generator = new Random(seed);
    generator.jump();
    for (let epoch = 0; epoch < epochs; epoch++) {
      generator.shuffle(order);
      for (let start = 0; start < count; start += batchSize) {
        const [batch, own] = pick(images, labels, order.subarray(start, start + batchSize));
        stepped.trainOnBatch(batch, own);
      }
    }
    expect(weightBits(again)).toEqual(weightBits(fitted));
    expect(weightBits(stepped)).toEqual(weightBits(fitted));
    for (const model of [fitted, again, stepped]) model.dispose();
  });
});

/** Some of the images and their labels, as a batch. */
function pick(images: Tensor, labels: Int32Array, order: Uint32Array): [Tensor, Int32Array] {
  const size = images.data.length / images.shape[0]!;
  const parts = [...order].map((i) => [...images.data.subarray(i * size, (i + 1) * size)]);
  return [
    tensor(parts.flat(), [order.length, ...images.shape.slice(1)]),
    Int32Array.from(order, (i) => labels[i]!),
  ];
}
