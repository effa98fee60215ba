/** `checkGradients`: right gradients pass, wrong ones are found, and kinks raise no alarm. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { around } from "../conformance/slopes.ts";
import {
  checkGradients,
  defineLayer,
  layers,
  load,
  losses,
  OptionError,
  sequential,
  tensor,
  type Engine,
  type Layer,
} from "../../src/index.ts";
import { LAYER_CASES } from "../layers/all.ts";
import { digits, noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** y = w·x², with gradients that are multiplied by these factors. */
const square = (ofInput: number, ofWeight: number): Layer =>
  defineLayer({
    type: "square",
    weights: ([shape]) => ({ w: { shape: shape!, initializer: { constant: 0.5 } } }),
    forward({ x, y, weights }) {
      const w = weights["w"]!;
      for (let i = 0; i < x.length; i++) y[i] = w[i % w.length]! * x[i]! * x[i]!;
    },
    backward({ x, dy, dx, weights, gradients }) {
      const [w, dw] = [weights["w"]!, gradients["w"]];
      dw?.fill(0);
      for (let i = 0; i < x.length; i++) {
        if (dw) dw[i % w.length]! += ofWeight * dy[i]! * x[i]! * x[i]!;
        if (dx) dx[i] = ofInput * 2 * dy[i]! * w[i % w.length]! * x[i]!;
      }
    },
  })();

const wrong = (layer: Layer, inputShape = [5]): string[] =>
  checkGradients(layer, { engine, inputShape })
    .rows.filter(({ ok }) => !ok)
    .map((row) => `${row.layer} ${row.weight}`.trim());

describe("checkGradients", () => {
  it("finds gradients that are wrong by a factor, a sign, or missing, each by its name", () => {
    expect(wrong(square(1, 1))).toEqual([]);
    for (const factor of [1.02, 0.98, 2, -1, 0, NaN]) {
      expect(wrong(square(factor, 1)), `factor ${factor}`).toEqual(["x"]);
      expect(wrong(square(1, factor)), `factor ${factor}`).toEqual(["square w"]);
    }
  });

  it("finds one that forgets the dependence of a batch's mean on each image", () => {
    const centred = defineLayer({
      type: "centred",
      forward({ x, y }) {
        const mean = x.reduce((sum, v) => sum + v, 0) / x.length;
        for (let i = 0; i < x.length; i++) y[i] = x[i]! - mean;
      },
      backward: ({ dy, dx }) => dx?.set(dy),
    });
    expect(wrong(centred())).toEqual(["x"]);
  });

  it("agrees with every layer of the package", () => {
    const found: string[] = [];
    for (const [name, { gradients }] of Object.entries(LAYER_CASES)) {
      for (const [form, between] of Object.entries(gradients)) {
        const model = around(between);
        model.compile({ engine, loss: losses.softmaxCrossEntropy() });
        const check = checkGradients(model, noise(3, 3, 6, 5, 4), [2, 0, 1], { samples: 3 });
        if (!check.ok) found.push(`${name}: ${form}\n${String(check)}`);
        model.dispose();
      }
    }
    expect(found).toEqual([]);
  });

  it("raises no alarm over kinks, of blank images with zero biases and equal maxima, and leaves the model as it was", () => {
    const model = sequential({
      inputShape: [28, 28, 1],
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.dropout({ rate: 0.25 }),
        layers.batchNormalization(),
        layers.flatten(),
        layers.dense({ units: 10 }),
      ],
    });
    model.compile({ engine, loss: losses.softmaxCrossEntropy() });
    const before = weightBits(model);
    const { images, labels } = digits(4, 1);
    const pixels = images.data.slice();
    const check = checkGradients(model, images, labels);
    expect(check.ok, String(check)).toBe(true);
    expect(check.rows.map(({ layer, weight }) => `${layer}.${weight}`)).toEqual([
      "input.",
      "conv2d.kernel",
      "conv2d.bias",
      "batchNormalization.gamma",
      "batchNormalization.beta",
      "dense.kernel",
      "dense.bias",
    ]);
    // Few numbers stay without a verdict.
    const sum = (of: "compared" | "undecided") => check.rows.reduce((all, row) => all + row[of], 0);
    expect(sum("undecided")).toBeLessThan(sum("compared") / 4);
    expect(weightBits(model)).toEqual(before);
    expect(images.data).toEqual(pixels);
    expect(model.inUse).toBe(false);
    const blank = tensor(new Float32Array(4 * 28 * 28), [4, 28, 28, 1]);
    expect(checkGradients(model, blank, labels).ok).toBe(true);
  });

  it("takes several inputs, composed layers and frozen ones, and draws by the seed", () => {
    const options = { engine, inputShape: [[4], [4]], seed: 3 };
    const check = checkGradients(layers.multiply(), options);
    expect(check.rows.map(({ layer, compared, ok }) => [layer, compared, ok])).toEqual([
      ["x0", 8, true],
      ["x1", 8, true],
    ]);
    expect(String(checkGradients(layers.multiply(), options))).toBe(String(check));
    const composed = defineLayer({
      type: "twice",
      compose: () => {
        const [first, second] = [layers.dense({ units: 3 }), layers.dense({ units: 2 })];
        return (value) => second.apply(first.apply(value));
      },
    });
    const rows = checkGradients(composed(), { engine, inputShape: [4], samples: 2 }).rows;
    expect(rows.map(({ layer, weight }) => `${layer} ${weight}`)).toContain("twice_dense_1 kernel");
    const frozen = Object.assign(layers.dense({ units: 2 }), { trainable: false });
    expect(checkGradients(frozen, { engine, inputShape: [4] }).rows.map(({ layer }) => layer)).toEqual(["x"]);
  });

  it("compares weights behind augmentation, whose images have no gradient; those of the net in inference have", () => {
    const model = sequential({
      inputShape: [5, 5, 2],
      layers: [
        layers.randomFlip(),
        layers.gaussianNoise({ stddev: 0.5 }),
        layers.flatten(),
        layers.dense({ units: 3 }),
      ],
    });
    model.compile({ engine, loss: losses.softmaxCrossEntropy() });
    const images = noise(1, 3, 5, 5, 2);
    const check = checkGradients(model, images, [0, 1, 2]);
    expect(check.ok, String(check)).toBe(true);
    expect(check.rows.map(({ layer, weight }) => `${layer} ${weight}`)).toEqual([
      "dense kernel",
      "dense bias",
    ]);
    expect(model.inputGradients(images, [0, 1, 2]).data.some((value) => value !== 0)).toBe(true);
  });

  it("refuses what it cannot check", () => {
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })] });
    const images = tensor([1, 2], [1, 2]);
    model.compile({ engine });
    expect(() => checkGradients(model, images, [0])).toThrow(
      /checkGradients: expected a model compiled with a loss/,
    );
    expect(() => checkGradients({} as Layer, { engine, inputShape: [2] })).toThrow(
      "checkGradients: expected a model or a layer, got",
    );
    const log = layers.unary({ kind: "log" });
    expect(() => checkGradients(log, { engine, inputShape: [8] })).toThrow(
      new OptionError("checkGradients: expected a finite loss, got NaN"),
    );
    const forward = defineLayer({ type: "copy", forward: ({ x, y }) => y.set(x) });
    expect(() => checkGradients(forward(), { engine, inputShape: [2] })).toThrow(
      "checkGradients: expected layers with a backward pass, got copy (copy) without one",
    );
    const samples = () => checkGradients(log, { engine, inputShape: [2], samples: 0 });
    expect(samples).toThrow("checkGradients: samples: expected a positive integer, got 0");
  });
});
