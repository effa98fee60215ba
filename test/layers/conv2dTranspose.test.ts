/**
 * conv2dTranspose: what it is made with, refuses and gives; and bits as the operators have them. The nets with it are in
 * `conv2dTranspose.cases.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  OptionError,
  optimizers,
  sequential,
  type Conv2dTransposeLayerOptions,
  type Engine,
  type Tensor,
} from "../../src/index.ts";
import { expectSameBits } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { COUNT, PADDINGS, SIZE, transposed, type Any } from "../support/options.ts";
import { margins } from "./support/cases.ts";
import { describeLayer } from "./support/describeLayer.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const build = (h: number, c: number, options: Conv2dTransposeLayerOptions): ReturnType<typeof sequential> =>
  sequential({ inputShape: [h, h, c], layers: [layers.conv2dTranspose(options)] });

/** The rows of an output, those of the input, and the options: in both directions alike. */
const ROWS: readonly (readonly [
  rows: number,
  h: number,
  options: Omit<Conv2dTransposeLayerOptions, "filters">,
])[] = [
  [5, 5, { kernelSize: 3, padding: "same" }],
  [7, 5, { kernelSize: 3 }],
  [10, 5, { kernelSize: 3, strides: 2, padding: "same" }],
  [11, 5, { kernelSize: 3, strides: 2 }],
  [15, 5, { kernelSize: 2, strides: 3 }],
  [15, 5, { kernelSize: 2, strides: 3, padding: "same" }],
  [9, 5, { kernelSize: 3, strides: 2, padding: "same", outputPadding: 0 }],
  [10, 5, { kernelSize: 3, strides: 2, padding: "same", outputPadding: 1 }],
  [8, 5, { kernelSize: 4, strides: 2, padding: "same", outputPadding: 0 }],
  [11, 5, { kernelSize: 3, strides: 2, outputPadding: 0 }],
  [12, 5, { kernelSize: 3, strides: 2, outputPadding: 1 }],
  [14, 5, { kernelSize: 2, strides: 3, outputPadding: 0 }],
  [9, 5, { kernelSize: 3, dilationRate: 2 }],
  [10, 5, { kernelSize: 3, strides: 2, dilationRate: 2, padding: "same" }],
  [14, 5, { kernelSize: 2, strides: 3, padding: margins(0, 0, 0, 0) }],
  [9, 5, { kernelSize: 3, strides: 2, padding: margins(1, 1, 1, 1) }],
  [10, 5, { kernelSize: 3, strides: 2, padding: margins(1, 1, 1, 1), outputPadding: 1 }],
  [1, 1, { kernelSize: 3, strides: 2, padding: margins(2, 0, 2, 0) }],
];

const EXTRA = "expected integers from 0 and below the strides";

describeLayer("conv2dTranspose", {
  defaults: [
    layers.conv2dTranspose({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: [3, 3],
      strides: [1, 1],
      padding: "valid",
      dilationRate: [1, 1],
      groups: 1,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras or, with explicit padding, as PyTorch.
  shapes: ROWS.map(([rows, h, options]) => [
    layers.conv2dTranspose({ filters: 3, ...options }),
    [h, h, 2],
    [rows, rows, 3],
  ]),
  refuses: {
    [`conv2dTranspose: filters: ${COUNT}, got 0`]: () =>
      layers.conv2dTranspose({ filters: 0, kernelSize: 1 }),
    [`conv2dTranspose: kernelSize: ${SIZE}, got undefined`]: () =>
      layers.conv2dTranspose({ filters: 1 } as Any),
    [`conv2dTranspose: groups: ${COUNT}, got 1.5`]: () => transposed({ groups: 1.5 }),
    [`conv2dTranspose: padding: ${PADDINGS}, got "full"`]: () => transposed({ padding: "full" }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 2×1, got [1,1]`]: () =>
      transposed({ strides: [2, 1], outputPadding: [1, 1] }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 1×1, got 1`]: () => transposed({ outputPadding: 1 }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got -1`]: () =>
      transposed({ strides: 3, outputPadding: -1 }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got "same"`]: () =>
      transposed({ strides: 3, outputPadding: "same" }),
    [`name, filters, outputPadding, groups; got "stride"`]: () => transposed({ stride: 2 }),
  },
  refusesInputs: {
    "conv2dTranspose: expected at most 1073741824 elements in an image with its padding, got 65542×65542×2": [
      transposed({ kernelSize: 2 ** 16 }),
      [7, 7, 3],
    ],
    "conv2dTranspose: expected an image [height, width, channels], got 7×3": [transposed({}), [7, 3]],
    "conv2dTranspose: height: expected an output of at least 1 with its padding, got 0": [
      transposed({ padding: margins(1, 0, 0, 0) }),
      [1, 1, 3],
    ],
    "conv2dTranspose: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      transposed({ groups: 2 }),
      [7, 7, 3],
      OptionError,
    ],
  },
});

interface Given {
  h: number;
  c: number;
  options: Conv2dTransposeLayerOptions;
  /** The padding of the convolution that is transposed. */
  pads: readonly [number, number];
}

/** Together with what the convolution is computed by. */
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
