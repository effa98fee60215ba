/** What augmentation draws: for an image the same in every batch, and something else in each epoch. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layers, load, losses, model, input, optimizers, sequential, tensor } from "../../src/index.ts";
import type { Engine, Layer, Model } from "../../src/index.ts";
import { draws, sampled, source } from "../oracles/augmentation.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const [N, H, W, C] = [10, 6, 5, 2];
const SEED = 2 ** 33 + 5;

/** Every kind, one behind the other. */
const all = (): Layer[] => [
  layers.randomFlip(),
  layers.randomTranslation({ heightFactor: 0.2, widthFactor: 0.3 }),
  layers.randomRotation({ factor: 0.2, fillMode: "wrap" }),
  layers.randomZoom({ heightFactor: 0.3, widthFactor: [-0.2, 0.4], fillMode: "constant" }),
  layers.randomContrast({ factor: 0.5, valueRange: [-2, 2] }),
  layers.randomBrightness({ factor: 0.2, valueRange: [-2, 2] }),
  layers.randomCrop({ height: 4, width: 4 }),
];

/**
 * A net that hands each augmented image on to a filter of its own size, so that a step of plain descent with one image in
 * the batch tells what the image was: the gradient of a sum of outputs is the image.
 */
function probe(list: Layer[], shape = [H, W, C]): Model {
  const net = sequential({
    inputShape: [H, W, C],
    layers: [
      ...list,
      layers.flatten(),
      layers.dense({ units: 1, useBias: false, kernelInitializer: "zeros" }),
    ],
    seed: SEED,
  });
  expect(net.weights.get("dense.kernel")!.shape).toEqual([shape.reduce((a, b) => a * b), 1]);
  return net;
}

/** The augmented images by their numbers, as `fit` saw them, one at a time. With outputs of 0 and targets of -½ the slope is 1. */
async function seen(
  list: Layer[],
  epochs: number,
  shuffle: boolean,
  shape?: number[],
): Promise<number[][][]> {
  const net = probe(list, shape);
  net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.meanSquaredError() });
  const images = noise(1, N, H, W, C);
  const result: number[][][] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const own: number[][] = [];
    await net.fit(images, tensor(new Float32Array(N).fill(-0.5), [N, 1]), {
      batchSize: 1,
      shuffle,
      onBatchEnd: () => own.push([...net.gradients.get("dense.kernel")!.data]),
    });
    result.push(own);
  }
  net.dispose();
  return result;
}

describe("augmentation", () => {
  it("draws for an image by its number and the epoch: as the oracle", async () => {
    const ranges = [-0.2, 0.2, 0, 0].map(Math.fround);
    const epochs = await seen([layers.randomRotation({ factor: 0.2 })], 2, false);
    const { data } = noise(1, N, H, W, C);
    epochs.forEach((images, epoch) =>
      images.forEach((pixels, index) => {
        const picture = { h: H, w: W, c: C, data: data.subarray(index * H * W * C, (index + 1) * H * W * C) };
        const key = { seedLow: 5, seedHigh: 2, epoch, layer: 0 };
        for (let i = 0; i < H * W; i++) {
          const [i0, j0] = [Math.floor(i / W), i % W];
          const [sy, sx] = source("rotation", ranges, draws(key, index), picture, [H, W], i0, j0);
          for (let channel = 0; channel < C; channel++) {
            const how = { fill: "reflect", bilinear: true, value: 0 } as const;
            expect(pixels[i * C + channel]).toBeCloseTo(sampled(picture, sy, sx, channel, how), 5);
          }
        }
      }),
    );
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it("gives each image the same in any order", async () => {
    const text = (images: number[][]): string[] => images.map((image) => image.join(" ")).sort();
    const shape = [4, 4, C];
    const [inOrder] = await seen(all(), 1, false, shape);
    const [shuffled] = await seen(all(), 1, true, shape);
    expect(shuffled).not.toEqual(inOrder);
    expect(text(shuffled!)).toEqual(text(inOrder!));
  });

  it("makes a batch of what its images are by themselves", async () => {
    const [alone] = await seen(all(), 1, false, [4, 4, C]);
    const net = probe(all(), [4, 4, C]);
    const compiled = {
      engine,
      optimizer: optimizers.sgd({ learningRate: 0 }),
      loss: losses.meanSquaredError(),
    };
    const labels = tensor(new Float32Array(N).fill(-0.5), [N, 1]);
    for (const batchSize of [3, N]) {
      const sums: number[][] = [];
      // Compiled again, so that both are the first epoch.
      await net.compile(compiled).fit(noise(1, N, H, W, C), labels, {
        batchSize,
        shuffle: false,
        onBatchEnd: () => sums.push([...net.gradients.get("dense.kernel")!.data]),
      });
      sums.forEach((mean, batch) => {
        const own = alone!.slice(batch * batchSize, (batch + 1) * batchSize);
        mean.forEach((value, i) => {
          const expected = own.reduce((sum, image) => sum + image[i]!, 0) / own.length;
          expect(value).toBeCloseTo(expected, 5);
        });
      });
    }
    net.dispose();
  });

  it("trains to the same bits on several threads, and in two calls of one epoch as in one of two", async () => {
    const outcome = async (on: Engine, calls: readonly number[]): Promise<object> => {
      const net = sequential({
        inputShape: [40, 40, 3],
        layers: [
          layers.randomRotation({ factor: 0.3 }),
          layers.randomZoom({ heightFactor: 0.3 }),
          layers.randomContrast({ factor: 0.5, valueRange: [-2, 2] }),
          layers.randomCrop({ height: 32, width: 30 }),
          layers.conv2d({ filters: 4, kernelSize: 3, strides: 3 }),
          layers.flatten(),
          layers.dense({ units: 3 }),
        ],
      });
      net.compile({ engine: on, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
      const labels = Int32Array.from({ length: 7 }, (_, i) => i % 3);
      for (const epochs of calls) await net.fit(noise(3, 7, 40, 40, 3), labels, { epochs, batchSize: 3 });
      const bits = weightBits(net);
      net.dispose();
      return bits;
    };
    const expected = await outcome(engine, [2]);
    expect(await outcome(engine, [1, 1])).toEqual(expected);
    const several = await load({ threads: 3 });
    expect(await outcome(several, [2])).toEqual(expected);
    several.dispose();
  });

  it("draws for the images of a stream by their numbers in it", async () => {
    const labels = Int32Array.from({ length: N }, (_, i) => i % 3);
    const { data } = noise(3, N, H, W, C);
    const outcome = async (fit: (net: Model) => Promise<unknown>): Promise<object> => {
      const net = sequential({
        inputShape: [H, W, C],
        layers: [...all(), layers.flatten(), layers.dense({ units: 3 })],
      });
      net.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
      await fit(net);
      const bits = weightBits(net);
      net.dispose();
      return bits;
    };
    const size = H * W * C;
    const batch = (start: number, count: number) =>
      [
        tensor(data.slice(start * size, (start + count) * size), [count, H, W, C]),
        labels.slice(start, start + count),
      ] as const;
    const stream = () => [batch(0, 4), batch(4, 4), batch(8, 2)];
    const options = { epochs: 2, batchSize: 4, shuffle: false };
    const held = await outcome((net) => net.fit(tensor(data, [N, H, W, C]), labels, options));
    expect(await outcome((net) => net.fit(stream, { epochs: 2 }))).toEqual(held);
  });

  it("draws anew in each step of trainOnBatch", () => {
    const net = probe([layers.randomTranslation({ heightFactor: 0.5, widthFactor: 0.5 })]);
    net.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.meanSquaredError() });
    const seenThen = [0, 1].map(() => {
      net.trainOnBatch(noise(1, 1, H, W, C), tensor([-0.5], [1, 1]));
      return [...net.gradients.get("dense.kernel")!.data];
    });
    expect(seenThen[0]).not.toEqual(seenThen[1]);
    net.dispose();
  });

  it("does nothing in inference, where a crop is of the middle", () => {
    const x = input({ shape: [H, W, C] });
    const same = all()
      .slice(0, -1)
      .reduce((value, layer) => layer.apply(value), x);
    const net = model({ inputs: x, outputs: [same, layers.randomCrop({ height: 3, width: 2 }).apply(same)] });
    const images = noise(4, 2, H, W, C);
    const [whole, crop] = Object.values(net.compile({ engine }).predict({ input: images }));
    expect(whole!.data).toEqual(images.data);
    const middle = Float32Array.from({ length: 2 * 3 * 2 * C }, (_, i) => {
      const [image, row, rest] = [Math.floor(i / 12), Math.floor((i % 12) / 4), i % 4];
      return images.data[((image * H + 1 + row) * W + 1) * C + rest]!;
    });
    expect(crop!.data).toEqual(middle);
    net.dispose();
  });

  it("is refused behind what learns", () => {
    const net = sequential({
      inputShape: [H, W, C],
      layers: [layers.conv2d({ filters: 1, kernelSize: 1 }), layers.randomFlip(), layers.flatten()],
    });
    expect(() =>
      net.compile({ engine, optimizer: optimizers.adam(), loss: losses.meanSquaredError() }),
    ).toThrow("randomFlip (randomFlip) without one: freeze what comes before it");
  });
});
