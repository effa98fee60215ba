/** conv2dTranspose has the bits of the convolution that it transposes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  type Conv2dTransposeLayerOptions,
  type Engine,
  type Tensor,
} from "../../src/index.ts";
import { expectSameBits } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { margins } from "./support/cases.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const build = (h: number, c: number, options: Conv2dTransposeLayerOptions): ReturnType<typeof sequential> =>
  sequential({ inputShape: [h, h, c], layers: [layers.conv2dTranspose(options)] });

interface Given {
  h: number;
  c: number;
  options: Conv2dTransposeLayerOptions;
  /** The padding of the convolution that is transposed. */
  pads: readonly [number, number];
}

/** Layers by the algorithm that their convolution is computed by. */
const CASES: Record<string, Given> = {
  col2im: { h: 5, c: 6, options: { filters: 4, kernelSize: 3, strides: 2, padding: "same" }, pads: [0, 1] },
  "the flipped filters": { h: 6, c: 5, options: { filters: 9, kernelSize: 3 }, pads: [0, 0] },
  groups: { h: 4, c: 6, options: { filters: 4, kernelSize: 2, groups: 2, dilationRate: 2 }, pads: [0, 0] },
  "depthwise filters": {
    h: 5,
    c: 7,
    options: { filters: 7, kernelSize: 3, groups: 7, strides: 2, padding: "same" },
    pads: [0, 1],
  },
  "Winograd's algorithm": {
    h: 12,
    c: 16,
    options: { filters: 16, kernelSize: 3, padding: "same" },
    pads: [1, 1],
  },
};

describe.each(Object.entries(CASES))("by %s", (_, { h, c, options, pads }) => {
  const settings = {
    strides: options.strides ?? 1,
    dilationRate: options.dilationRate ?? 1,
    groups: options.groups ?? 1,
    padding: margins(...pads, ...pads),
  };
  const x = noise(1, 3, h, h, c);

  it("has the bits of the convolution's input gradient, with bias and activation behind", () => {
    const model = build(h, c, { ...options, activation: "tanh", biasInitializer: { constant: 0.25 } });
    model.compile({ engine });
    const { data, shape }: Tensor = model.predict(x);
    const kernel = model.weights.get("conv2dTranspose.kernel")!;
    const sum = engine.conv2dBackpropInput(x, kernel, shape, settings);
    const shifted = { ...sum, data: sum.data.map((value) => value + 0.25) };
    expectSameBits(data, engine.activation(shifted, "tanh").data);
    model.dispose();
  });

  it("has the bits of the convolution and its filter gradient on the way back", () => {
    const front = layers.depthwiseConv2d({ kernelSize: 1, kernelInitializer: "ones", useBias: false });
    const list = [front, layers.conv2dTranspose(options)];
    const model = sequential({ inputShape: [h, h, c], layers: list });
    const loss = losses.meanSquaredError();
    model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss });
    const y = model.predict(x);
    const target = noise(2, ...y.shape);
    model.trainOnBatch(x, target);
    const { weights, gradients } = model;
    const kernel = weights.get("conv2dTranspose.kernel")!;
    // The loss computes this gradient (assembly/training/softmaxCrossEntropy.ts).
    const half = y.data.length / 2;
    const dy = { ...y, data: y.data.map((value, i) => Math.fround(value - target.data[i]!) / half) };
    const dw = engine.conv2dBackpropFilter(dy, x, kernel.shape, settings);
    expectSameBits(gradients.get("conv2dTranspose.kernel")!.data, dw.data);
    expectSameBits(gradients.get("conv2dTranspose.bias")!.data, engine.sumRows(dy).data);
    const dx = engine.conv2d(dy, kernel, settings);
    const products = { ...dx, data: dx.data.map((value, i) => value * x.data[i]!) };
    const channels = engine.sumRows(products).data;
    gradients.get("depthwiseConv2d.kernel")!.data.forEach((value, i) => {
      // Two orders of a sum of 3·h·h terms.
      const terms = 3 * h * h;
      const size = products.data
        .filter((_product, j) => j % c === i)
        .reduce((sum, p) => sum + Math.abs(p), 0);
      expect(Math.abs(value - channels[i]!)).toBeLessThanOrEqual(2 * terms * 2 ** -24 * size);
    });
    model.dispose();
  });
});
