/** Data sets of `im2row/data`: their orders, batches, changes, and what `fit` makes of them. */
import { describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  OptionError,
  Random,
  sequential,
  ShapeError,
  tensor,
} from "im2row";
import { cutout, fromTensors, mixup, type Batches, type Sample, type Samples } from "im2row/data";
import { symmetricBeta } from "../../src/data/beta.ts";
import { weightBits } from "../support/model.ts";

/** A data set of `count` images of one pixel, whose value and label are its number. */
const numbered = (count: number): Samples =>
  fromTensors(
    tensor(
      Array.from({ length: count }, (_, i) => i),
      [count, 1, 1, 1],
    ),
    Array.from({ length: count }, (_, i) => i),
  );

async function listed<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

const labelsOf = async (samples: Samples, epoch?: number): Promise<unknown[]> =>
  (await listed(samples(epoch))).map(({ label }) => label);

/** The pixels of all batches, with the numbers of their images. */
async function pixelsOf(batches: Batches, epoch?: number): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  for await (const { images, indices } of batches(epoch)) {
    const { data } = images as { data: Float32Array };
    const size = data.length / indices.length;
    indices.forEach((index, i) => found.set(index, [...data.subarray(i * size, (i + 1) * size)]));
  }
  return found;
}

describe("fromTensors", () => {
  it("has the samples in order, bytes as bytes, and batches with the numbers of their images", async () => {
    const bytes = { shape: [3, 1, 2, 1], data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const samples = fromTensors(bytes, BigInt64Array.of(2n, 0n, 1n));
    expect(samples.size).toBe(3);
    expect(await listed(samples())).toEqual([
      { image: { shape: [1, 2, 1], data: Uint8Array.of(1, 2) }, label: 2 },
      { image: { shape: [1, 2, 1], data: Uint8Array.of(3, 4) }, label: 0 },
      { image: { shape: [1, 2, 1], data: Uint8Array.of(5, 6) }, label: 1 },
    ]);
    const batches = samples.batch(2);
    expect(batches.size).toBe(2);
    expect(await listed(batches())).toEqual([
      {
        images: { shape: [2, 1, 2, 1], data: Uint8Array.of(1, 2, 3, 4) },
        labels: [2, 0],
        indices: Uint32Array.of(0, 1),
      },
      { images: { shape: [1, 1, 2, 1], data: Uint8Array.of(5, 6) }, labels: [1], indices: Uint32Array.of(2) },
    ]);
  });

  it("takes tensors by name, rows as labels, and weights that a map adds", async () => {
    const samples = fromTensors(
      { a: tensor([1, 2], [2, 1]), b: tensor([3, 4, 5, 6], [2, 2]) },
      tensor([0, 1, 1, 0], [2, 2]),
    );
    const weighed = samples.map((sample, { index }) => (index === 1 ? { ...sample, weight: 3 } : sample));
    const [batch] = await listed(weighed.batch(5)());
    expect(batch).toEqual({
      images: { a: tensor([1, 2], [2, 1]), b: tensor([3, 4, 5, 6], [2, 2]) },
      labels: tensor([0, 1, 1, 0], [2, 2]),
      sampleWeight: [1, 3],
      indices: Uint32Array.of(0, 1),
    });
  });

  it("refuses what does not belong together", () => {
    const x = tensor([1, 2], [2, 1]);
    expect(() => fromTensors(x, [1])).toThrow("fromTensors: labels: expected 2 samples, got 1");
    expect(() => fromTensors({ a: x, b: tensor([1], [1, 1]) }, [1, 2])).toThrow(
      "fromTensors: images: b: expected 2 samples, got 1",
    );
    const short = { shape: [2, 2], data: new Uint8Array(3) };
    expect(() => fromTensors(short, [1, 2])).toThrow(
      "fromTensors: images.data: expected a typed array of 4, got Uint8Array of 3",
    );
  });
});

describe("orders", () => {
  const sorted = (list: readonly unknown[]): unknown[] => list.toSorted((a, b) => Number(a) - Number(b));

  it("of shuffle are permutations that follow from seed and epoch", async () => {
    const samples = numbered(50).shuffle(50, 1);
    const one = await labelsOf(samples);
    expect(await labelsOf(samples, 1)).toEqual(one);
    expect(await labelsOf(numbered(50).shuffle(50, 2))).not.toEqual(one);
    expect(await labelsOf(samples, 2)).not.toEqual(one);
    for (const order of [one, await labelsOf(samples, 2)])
      expect(sorted(order)).toEqual(await labelsOf(numbered(50)));
  });

  it("of a small buffer bring no sample forward by more than the buffer", async () => {
    const order = (await labelsOf(numbered(100).shuffle(8, 1))) as number[];
    order.forEach((label, at) => expect(label).toBeLessThan(at + 8));
    expect(sorted(order)).toEqual(await labelsOf(numbered(100)));
    expect(await labelsOf(numbered(9).shuffle(1, 1))).toEqual(await labelsOf(numbered(9)));
  });

  it("of a full buffer are equally likely: each of the 24 of four samples", async () => {
    const counts = new Map<string, number>();
    const samples = numbered(4).shuffle(4, 7);
    for (let epoch = 1; epoch <= 2400; epoch++) {
      const order = String(await labelsOf(samples, epoch));
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(counts.size).toBe(24);
    // The 99.9th percentile for 23 degrees of freedom.
    expect(chiSquare).toBeLessThan(49.7);
  });

  it("of split are two parts of the order before, the same in all epochs", async () => {
    const [first, rest] = numbered(10).split(0.75, 3);
    expect([first.size, rest.size]).toEqual([7, 3]);
    const [a, b] = [await labelsOf(first), await labelsOf(rest)];
    expect(sorted([...a, ...b])).toEqual(await labelsOf(numbered(10)));
    expect(a).toEqual(sorted(a));
    expect(await labelsOf(first, 2)).toEqual(a);
    const [again] = numbered(10).shuffle(10, 1).split(0.75, 3);
    expect(sorted(await labelsOf(again))).toEqual(a);
    expect(await labelsOf(again)).not.toEqual(a);
  });
});

describe("cache", () => {
  it("reads a sample once, those of epoch 1 in all epochs, as far as they fit", async () => {
    const reads: string[] = [];
    const counted = numbered(5).map((sample, { index, epoch }) => {
      reads.push(`${index} of ${epoch}`);
      return { ...sample, label: 10 * epoch + index };
    });
    // An image of one float has four bytes: three of the five fit.
    const cached = counted.cache(12);
    const expected = [10, 11, 12, 13, 14];
    expect(await labelsOf(cached, 3)).toEqual(expected);
    expect(reads.splice(0)).toEqual(["0 of 1", "1 of 1", "2 of 1", "3 of 1", "4 of 1"]);
    expect(await labelsOf(cached, 1)).toEqual(expected);
    expect(reads.splice(0)).toEqual(["3 of 1", "4 of 1"]);
    // The parts of what is cached are, too.
    const [, rest] = cached.split(0.6, 1);
    expect(await labelsOf(rest, 2)).toEqual((await labelsOf(rest, 1)).map(Number));
    expect(reads.every((read) => ["3 of 1", "4 of 1"].includes(read))).toBe(true);
  });
});

describe("batches", () => {
  it("are read when they are asked for, with those that prefetch adds", async () => {
    const read: number[] = [];
    const samples = numbered(20).map((sample, { index }) => {
      read.push(index);
      return sample;
    });
    const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    const plain = samples.batch(2)();
    await settle();
    expect(read).toEqual([]);
    await plain.next();
    await settle();
    expect(read).toEqual([0, 1]);
    read.length = 0;
    const ahead = samples.batch(2).prefetch(3)();
    expect((await ahead.next()).value).toMatchObject({ labels: [0, 1] });
    await settle();
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await ahead.next();
    await settle();
    expect(read).toHaveLength(10);
    await ahead.return!();
    expect(await ahead.next()).toEqual({ done: true, value: undefined });
    await settle();
    expect(read).toHaveLength(10);
  });

  it("are the same with and without prefetch, and where maps take their time", async () => {
    const slow = numbered(11)
      .shuffle(11, 1)
      .map(async (sample, { index }) => {
        await new Promise((resolve) => setTimeout(resolve, (index * 7) % 5));
        return sample;
      });
    const expected = await listed(numbered(11).shuffle(11, 1).batch(3)(2));
    expect(await listed(slow.batch(3)(2))).toEqual(expected);
    expect(await listed(slow.batch(3).prefetch(2)(2))).toEqual(expected);
  });

  it("name the sample that fails or does not fit", async () => {
    const cause = new Error("no such file");
    const failing = numbered(9).map((sample, { index }) => {
      if (index === 5) throw cause;
      return sample;
    });
    const batches = failing.batch(2).prefetch(2)();
    await batches.next();
    await batches.next();
    await expect(batches.next()).rejects.toMatchObject({ message: "sample 5: no such file", cause });
    const change = async (wrong: unknown): Promise<unknown> =>
      numbered(3)
        .map((sample, { index }) => (index === 2 ? (wrong as Sample) : sample))
        .batch(3)()
        .next();
    const image = tensor([1, 2], [1, 2, 1]);
    await expect(change({ image, label: 1 })).rejects.toThrow(
      "sample 2: image: expected shape 1×1×1, which the first of its batch has, got 1×2×1",
    );
    await expect(change(5)).rejects.toThrow("sample 2: expected { image, label }, got 5");
    const flat = { shape: [1, 1, 1], data: new Float32Array(2) };
    await expect(change({ image: flat, label: 1 })).rejects.toThrow(
      "sample 2: image.data: expected a Float32Array of 1, got Float32Array of 2",
    );
    const bytes = { shape: [1, 1, 1], data: new Uint8Array(1) };
    await expect(change({ image: bytes, label: 1 })).rejects.toThrow(
      "sample 2: image.data: expected a Float32Array of 1, got Uint8Array of 1",
    );
    await expect(change({ image: tensor([1], [1, 1, 1]), label: image })).rejects.toThrow(ShapeError);
  });
});

describe("fit on a data set", () => {
  it("learns the same, to the bit, in one call and in two, with and without prefetch", async () => {
    const engine = await load();
    const make = () => {
      const net = sequential({
        inputShape: [1, 1, 1],
        layers: [layers.flatten(), layers.dense({ units: 10 })],
      });
      net.compile({ engine, loss: losses.softmaxCrossEntropy(), optimizer: optimizers.adam() });
      return net;
    };
    const [one, two] = [make(), make()];
    const [train, test] = numbered(10).split(0.8, 1);
    const batches = train
      .shuffle(100, 1)
      .map(mixup({ seed: 2, classes: 10 }))
      .batch(3);
    const history = await one.fit(batches, { epochs: 2, validationData: test.batch(2) });
    expect(history.validationLoss).toHaveLength(2);
    await two.fit(batches.prefetch(2));
    await two.fit(batches.prefetch(1));
    expect(weightBits(two)).toEqual(weightBits(one));
    expect((await two.predictAsync(test.batch(1))).shape).toEqual([2, 10]);
    expect((await two.evaluateAsync(test.batch(2))).loss).toBe(history.validationLoss[1]);
    const failing = train.map(() => {
      throw new Error("broken");
    });
    await expect(one.fit(failing.batch(2))).rejects.toThrow(/^fit: epoch 1: batch 1: sample \d: broken$/);
    engine.dispose();
  });
});

it("fit takes the bytes of a data set where the net's input is one of bytes", async () => {
  const engine = await load();
  const net = sequential({
    inputShape: [1, 2, 1],
    inputDtype: "uint8",
    layers: [layers.rescaling({ scale: 1 / 255 }), layers.flatten(), layers.dense({ units: 2 })],
  });
  net.compile({ engine, loss: losses.softmaxCrossEntropy(), optimizer: optimizers.sgd({ learningRate: 1 }) });
  const bytes = { shape: [2, 1, 2, 1], data: Uint8Array.of(255, 0, 0, 255) };
  const batches = fromTensors(bytes, [0, 1]).batch(2);
  await net.fit(batches, { epochs: 20 });
  expect((await net.evaluateAsync(batches)).accuracy).toBe(1);
  engine.dispose();
});

describe("mixup", () => {
  it("mixes images and labels by one share, of samples of the same part", async () => {
    const [part] = numbered(10).split(0.5, 1);
    const own = new Set(await labelsOf(part));
    const samples = await listed(part.map(mixup({ seed: 1, alpha: 1, classes: 10 }))());
    let mixed = 0;
    for (const { image, label } of samples) {
      const { shape, data } = label as { shape: number[]; data: Float32Array };
      expect(shape).toEqual([10]);
      const sum = data.reduce((total, share) => total + share);
      expect(sum).toBeCloseTo(1, 6);
      // The pixel of a sample is its number.
      const expected = data.reduce((total, share, i) => total + share * i, 0);
      expect((image as { data: Float32Array }).data[0]).toBeCloseTo(expected, 5);
      data.forEach((share, i) => share > 0 && expect(own).toContain(i));
      mixed += Number(data.filter((share) => share > 0).length === 2);
    }
    expect(mixed).toBeGreaterThan(1);
  });

  it("depends on seed, epoch and number alone: not on batches, order or prefetch", async () => {
    const change = mixup({ seed: 4, classes: 12 });
    const expected = await pixelsOf(numbered(12).map(change).batch(12), 3);
    expect(await pixelsOf(numbered(12).map(change).shuffle(5, 1).batch(5).prefetch(2), 3)).toEqual(expected);
    expect(await pixelsOf(numbered(12).map(change).batch(12), 4)).not.toEqual(expected);
    expect(
      await pixelsOf(
        numbered(12)
          .map(mixup({ seed: 5, classes: 12 }))
          .batch(12),
        3,
      ),
    ).not.toEqual(expected);
  });

  it("draws shares of Beta(alpha, alpha): mean ½, variance 1 / (8·alpha + 4), symmetric", () => {
    for (const alpha of [0.001, 0.2, 1, 3]) {
      const random = new Random(1);
      const draws = Array.from({ length: 20_000 }, () => symmetricBeta(random, alpha));
      const mean = draws.reduce((a, b) => a + b) / draws.length;
      const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
      expect(mean).toBeGreaterThan(0.485);
      expect(mean).toBeLessThan(0.515);
      expect(Math.abs(variance * (8 * alpha + 4) - 1)).toBeLessThan(0.03);
    }
  });
});

describe("cutout", () => {
  it("overwrites a square around a drawn pixel, cut off at the border, in a copy", async () => {
    const image = { shape: [20, 6, 5, 2], data: new Uint8Array(20 * 60).fill(7) };
    const samples = fromTensors(image, new Int32Array(20)).map(cutout({ seed: 1, size: 3, fill: 9 }));
    const areas = new Set<number>();
    for (const sample of await listed(samples())) {
      const { data } = sample.image as { data: Uint8Array };
      const hit: [number, number][] = [];
      data.forEach((value, i) => {
        if (value === 9) hit.push([Math.floor(i / 10), Math.floor((i % 10) / 2)]);
        else expect(value).toBe(7);
      });
      const [rows, columns] = [hit.map(([y]) => y), hit.map(([, x]) => x)];
      const height = Math.max(...rows) - Math.min(...rows) + 1;
      const width = Math.max(...columns) - Math.min(...columns) + 1;
      expect(hit).toHaveLength(height * width * 2);
      for (const side of [height, width]) expect([2, 3]).toContain(side);
      areas.add(height * width);
    }
    expect(areas).toContain(9);
    expect(areas.size).toBeGreaterThan(1);
    expect(image.data.every((value) => value === 7)).toBe(true);
  });
});

it.each<[string, () => unknown]>([
  ["shuffle: buffer: expected a positive integer, got 0", () => numbered(3).shuffle(0, 1)],
  ["shuffle: seed: expected an integer from 0 to 2^53 - 1, got -1", () => numbered(3).shuffle(1, -1)],
  ["cache: expected a positive integer, got 0", () => numbered(3).cache(0)],
  ["split: expected samples on either side, got 0.1 of 3", () => numbered(3).split(0.1, 1)],
  ["split: fraction: expected a number ≥ 0 and < 1, got 1", () => numbered(3).split(1, 1)],
  ["split: seed: expected an integer", () => numbered(3).split(0.5, 0.5)],
  ["batch: size: expected a positive integer, got 1.5", () => numbered(3).batch(1.5)],
  ["prefetch: expected a positive integer, got 0", () => numbered(3).batch(1).prefetch(0)],
  ["map: expected a function, got 3", () => numbered(3).map(3 as never)],
  ["epoch: expected a positive integer, got 0", () => numbered(3)(0)],
  ["mixup: alpha: expected a number from 0.001 to 4, got 0", () => mixup({ seed: 1, alpha: 0 })],
  ["mixup: seed: expected an integer", () => mixup({} as never)],
  ["cutout: size: expected a positive integer, got 0", () => cutout({ seed: 1, size: 0 })],
])("refuses: %s", (message, run) => {
  expect(run).toThrow(OptionError);
  expect(run).toThrow(message);
});

it.each([300, -1, 0.5])("cutout refuses to fill images of bytes with %d, which is none", async (fill) => {
  const bytes = fromTensors({ shape: [1, 2, 2, 1], data: new Uint8Array(4) }, [0]);
  await expect(
    bytes
      .map(cutout({ seed: 1, size: 1, fill }))()
      .next(),
  ).rejects.toThrow(
    `sample 0: cutout: fill: expected an integer from 0 to 255 for images of bytes, got ${fill}`,
  );
  // Floats may have it.
  const floats = fromTensors(tensor([9, 9, 9, 9], [1, 2, 2, 1]), [0]);
  const { value } = (await floats
    .map(cutout({ seed: 1, size: 5, fill }))()
    .next()) as { value: Sample };
  expect((value.image as { data: Float32Array }).data).toContain(fill);
});

it("mixup refuses classes without their number, or beyond it", async () => {
  const next = (options: object): Promise<unknown> =>
    numbered(3)
      .map(mixup({ seed: 1, ...options }))()
      .next();
  await expect(next({})).rejects.toThrow("mixup: classes: expected their number for labels of classes");
  const all = listed(numbered(3).map(mixup({ seed: 1, classes: 2 }))());
  await expect(all).rejects.toThrow("mixup: expected a class from 0 to 1, got 2");
});
