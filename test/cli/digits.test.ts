import { describe, expect, it } from "vitest";
import { DIGIT_SIZE, drawDigits } from "../../src/cli/digits.ts";
import { OptionError } from "../../src/errors.ts";
import { Random } from "../../src/random.ts";

const PIXELS = DIGIT_SIZE * DIGIT_SIZE;

/** FNV-1a, 32 bits (Fowler, Noll and Vo), over the bytes of an array, little-endian as on every host we know. */
function fnv1a(array: Float32Array | Int32Array): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

describe("drawDigits", () => {
  it("draws the same bits on every host", () => {
    const { images, labels } = drawDigits(50, 1);
    expect([fnv1a(images), fnv1a(labels)].map((hash) => hash.toString(16))).toEqual(["e1e1fce6", "a957f0a4"]);
    expect(drawDigits(50, 1)).toEqual({ images, labels });
    expect(fnv1a(drawDigits(50, 2).images)).not.toBe(fnv1a(images));
  });

  it("draws each figure equally often, in shuffled order", () => {
    const { labels } = drawDigits(100, 3);
    const counts = Array.from({ length: 10 }, (_, digit) => labels.filter((label) => label === digit).length);
    expect(counts).toEqual(Array.from({ length: 10 }, () => 10));
    expect([...labels]).not.toEqual([...labels].sort());
    expect([...drawDigits(13, 3).labels].sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("stays in 0…1 and puts ink in every image", () => {
    const { images } = drawDigits(1000, 4);
    expect(images.length).toBe(1000 * PIXELS);
    let inked = 0;
    for (const value of images) {
      if (!(value >= 0 && value <= 1)) expect.fail(`a pixel of ${value}`);
      if (value > 0.6) inked += 1;
    }
    for (let i = 0; i < 1000; i++) {
      const dark = images.subarray(i * PIXELS, (i + 1) * PIXELS).filter((value) => value > 0.6).length;
      expect(dark).toBeGreaterThan(10);
      expect(dark).toBeLessThan(PIXELS / 2);
    }
    expect(inked / images.length).toBeGreaterThan(0.05);
  });

  it("takes no digits at all, and refuses a count or seed that is no such number", () => {
    expect(drawDigits(0, 1)).toEqual({ images: new Float32Array(0), labels: new Int32Array(0) });
    expect(() => drawDigits(-1, 1)).toThrow(OptionError);
    expect(() => drawDigits(1.5, 1)).toThrow(OptionError);
    expect(() => drawDigits(1, -1)).toThrow(OptionError);
  });
});

/** Scores `W·x + b` of one image; `weights` is `[785, 10]`, the last row the bias. */
function scores(weights: Float64Array, image: Float32Array): Float64Array {
  const z = weights.slice(10 * PIXELS);
  image.forEach((value, pixel) => {
    if (value !== 0) for (let k = 0; k < 10; k++) z[k]! += value * weights[10 * pixel + k]!;
  });
  return z;
}

/** One step of stochastic gradient descent on the softmax cross-entropy of one image. */
function step(weights: Float64Array, image: Float32Array, label: number, rate: number): void {
  const z = scores(weights, image);
  const max = Math.max(...z);
  const e = z.map((value) => Math.exp(value - max));
  const sum = e.reduce((a, b) => a + b, 0);
  const gradient = e.map((value, k) => rate * (value / sum - (k === label ? 1 : 0)));
  for (let k = 0; k < 10; k++) weights[10 * PIXELS + k]! -= gradient[k]!;
  image.forEach((value, pixel) => {
    if (value !== 0) for (let k = 0; k < 10; k++) weights[10 * pixel + k]! -= value * gradient[k]!;
  });
}

describe("a linear classifier on drawn digits", () => {
  it("learns something, but stays well behind a convolutional net", () => {
    const train = drawDigits(3000, 6);
    const test = drawDigits(1000, 7);
    const at = ({ images }: typeof train, i: number): Float32Array =>
      images.subarray(i * PIXELS, (i + 1) * PIXELS);
    const weights = new Float64Array(10 * (PIXELS + 1));
    const order = Uint32Array.from({ length: 3000 }, (_, i) => i);
    const random = new Random(8);
    const epochs = 8;
    for (let epoch = 0; epoch < epochs; epoch++) {
      random.shuffle(order);
      for (const i of order) step(weights, at(train, i), train.labels[i]!, 0.02 * (1 - epoch / epochs));
    }
    const correct = test.labels.filter((label, i) => {
      const z = scores(weights, at(test, i));
      return z.indexOf(Math.max(...z)) === label;
    }).length;
    expect(correct / 1000).toBeGreaterThan(0.4);
    expect(correct / 1000).toBeLessThan(0.8);
  });
});
