import { describe, expect, it } from "vitest";
import { CurveRecorder, MOST_EPOCHS, MOST_POINTS, sparkline } from "../../src/cli/train/curves.ts";

/** Records a run in which batch `b` of all, from 0, has the loss `lossOf(b)` and no image right but its first. */
function record(epochs: number, images: number, size: number, lossOf: (batch: number) => number) {
  const recorder = new CurveRecorder(epochs, images, size);
  const batches = Math.ceil(images / size);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    for (let batch = 1; batch <= batches; batch++) {
      const seen = Math.min(batch * size, images);
      sum += lossOf((epoch - 1) * batches + batch - 1) * (seen - (batch - 1) * size);
      recorder.batch({ epoch, batch, batches, loss: sum / seen, accuracy: batch / seen });
    }
    recorder.epoch({ epochs: epoch, loss: 1, accuracy: 0.5, heldOutLoss: 2, heldOutAccuracy: 0.25 });
  }
  return recorder.curves;
}

describe("curves", () => {
  it("have a point for each batch of a short run, whose loss and accuracy are its own", () => {
    // 10 images in batches of 4, 4 and 2.
    const { training, epochs } = record(2, 10, 4, (batch) => batch + 1);
    expect(training.map((point) => point.epochs)).toEqual([1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2]);
    training.forEach(({ loss, accuracy }, i) => {
      expect(loss).toBeCloseTo(i + 1, 12);
      expect(accuracy).toBeCloseTo(i % 3 === 2 ? 1 / 2 : 1 / 4, 12);
    });
    expect(epochs.map((point) => point.epochs)).toEqual([1, 2]);
  });

  it("have a limit, means between the points, and the end of the run", () => {
    const { training, epochs } = record(MOST_EPOCHS * 3, 40, 4, (batch) => batch);
    expect(epochs).toHaveLength(MOST_EPOCHS);
    expect(epochs.at(-1)!.epochs).toBe(MOST_EPOCHS * 3);
    expect(training).toHaveLength(MOST_POINTS);
    expect(training.at(-1)!.epochs).toBe(MOST_EPOCHS * 3);
    // 1800 batches, so 15 a point: the first ones have the losses 0 to 14 and 15 to 29.
    expect(training[0]!.loss).toBeCloseTo(7, 9);
    expect(training[1]!.loss).toBeCloseTo(22, 9);
  });
});

describe("a sparkline", () => {
  it("has heights by the logarithm, from the least to the largest", () => {
    expect(sparkline([128, 64, 32, 16, 8, 4, 2, 1])).toBe("█▇▆▅▄▃▂▁");
    expect(sparkline([3, 3])).toBe("▁▁");
    expect(sparkline([1, 0])).toBe("█▁");
    expect(sparkline([5])).toBe("▁");
  });

  it("has means of neighbours where it is too narrow", () => {
    expect(sparkline([96, 160, 1, 1, 7, 9], 3)).toBe("█▁▄");
    expect(sparkline(Array.from({ length: 1000 }, (_, i) => 1000 - i))).toHaveLength(48);
  });
});
