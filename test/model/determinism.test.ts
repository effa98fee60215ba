/**
 * The same bits, from run to run and from host to host. The digests are golden: a change that alters them says why
 * (CONTRIBUTING.md, "Same bits").
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  load,
  losses,
  optimizers,
  tensor,
  type Engine,
  type Model,
  type Optimizer,
  type Tensor,
} from "../../src/index.ts";
import { Random } from "../../src/random.ts";
import { everyLayer, lenet5, softmaxNet, tinyNet } from "../conformance/nets.ts";
import { digest } from "../support/digest.ts";
import { digits, noise, weightBits } from "../support/model.ts";
import { random } from "../support/random.ts";

const STEPS = 20;

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
    [optimizers.sgd({ learningRate: 0.1 }), "e6dd36b4dae94c1e"],
    [
      optimizers.sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
      "71718cbf6f083bab",
    ],
    [optimizers.adam({ learningRate: (step) => 0.01 / (1 + step) }), "0cb4e97e64bfd18d"],
    [optimizers.adamw({ learningRate: 0.01, weightDecay: 0.1 }), "e7f11ef52364f33f"],
  ])("of a net of every layer with optimizer %#", (optimizer, golden) => {
    const found = trainSteps(everyLayer(3), engine, optimizer, 5);
    expect(trainSteps(everyLayer(3), engine, optimizer, 5)).toBe(found);
    expect(found).toBe(golden);
  });

  it("of a net with softmax and mean squared error", () => {
    const model = softmaxNet(2 ** 53 - 1);
    const optimizer = optimizers.sgd({ learningRate: 0.5 });
    model.compile({ engine, optimizer, loss: losses.meanSquaredError() });
    const rows = tensor(Float32Array.of(1, 0, 0, 0, 0.5, 0.5), [2, 3]);
    for (let step = 0; step < STEPS; step++) model.trainOnBatch(noise(step, 2, 7, 7, 3), rows);
    expect(digest(model.weights)).toBe("660b6db47772a2a6");
    model.dispose();
  });
});

describe("the same bits", () => {
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

    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      new Random(seed, epoch).shuffle(order);
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
