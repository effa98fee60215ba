/** onnxruntime computes from the files that models write what the models compute. */
import {
  load,
  losses,
  optimizers,
  tensor,
  type Engine,
  type Model,
  type OnnxLayout,
  type Tensor,
} from "im2row";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toNchw } from "../../bench/layout.ts";
import {
  cifarVgg,
  lenet5,
  mobileNetV2,
  resnet18,
  resnet50,
  squeezeNet,
} from "../../examples/networks/index.ts";
import { branched, everyLayer, softmaxNet, strided, winogradNet } from "../conformance/nets.ts";
import { expectWithin } from "../support/float.ts";
import { noise } from "../support/model.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";
import { scatter, type ExportCase } from "./exportCase.ts";
import { LAYER_CASES } from "./exported.ts";

/**
 * Of the largest output. onnxruntime adds in other orders and does not round each product. Rounding errors of random signs
 * add in squares (Higham and Mary, SIAM J. Sci. Comput. 41, 2019), so that those of sums of k terms in all layers make
 * √(Σ k)·u with u = 2⁻²⁴: 1.4·10⁻⁵ for the deepest net, with Σ k = 54,931. What mistakes an axis, a weight or an option
 * changes the first digits.
 */
const BOUND = 1e-5;
const IMAGES = 2;

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** A value as the file has it: images with their axes turned, unless it takes them as they are. */
function inFile({ shape, data }: Tensor, layout: OnnxLayout): Tensor {
  const [n, h, w, c] = shape as [number, number, number, number];
  return layout === "NCHW" && shape.length === 4
    ? tensor(toNchw(data, shape), [n, c, h, w])
    : { shape, data };
}

/** Both run the net on noise: outputs have the same names and shapes, and agree. */
async function expectAgreement(net: Model, layout: OnnxLayout, magnitude = 1): Promise<void> {
  net.compile({ engine });
  const feeds = Object.fromEntries(
    net.inputs.map(({ name, shape }, i) => {
      const { data } = noise(i + 1, IMAGES, ...shape);
      return [
        name,
        tensor(
          data.map((value) => magnitude * value),
          [IMAGES, ...shape],
        ),
      ];
    }),
  );
  const given = Object.entries(feeds).map(([name, x]) => [name, inFile(x, layout)]);
  const outputs = await runOnnx(net.toOnnx({ layout }), Object.fromEntries(given));
  const expected = net.predict(feeds);
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, wanted] of Object.entries(expected)) {
    const { shape, data } = inFile(wanted, layout);
    expect(outputs[name]!.shape).toEqual(shape);
    const largest = wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expectWithin(outputs[name]!.data, data, () => BOUND * largest);
  }
  net.dispose();
}

/** The nets of the other tests, which have several layers behind one another. */
const NETS: ExportCase[] = [
  ["every layer in a row", () => everyLayer(1)],
  ["a graph with branches", () => branched(1)],
  ["strides, padding, dilation, groups", strided],
  ["Winograd's algorithm", () => winogradNet(1)],
  ["softmax at the end", () => softmaxNet(1)],
];

const NETWORKS: [string, () => Model][] = [
  ["lenet5", lenet5],
  ["cifarVgg", cifarVgg],
  ["resnet18", resnet18],
  ["resnet50", resnet50],
  ["mobileNetV2", mobileNetV2],
  ["squeezeNet", squeezeNet],
];

describe.skipIf(onnxruntimeIsAbsent)("onnxruntime agrees about", () => {
  describe.each(["NCHW", "NHWC"] as const)("%s:", (layout) => {
    it.each([...LAYER_CASES, ...NETS])("%s", async (_, build, magnitude) => {
      await expectAgreement(scatter(build(), 7), layout, magnitude);
    });
  });

  it.each(NETWORKS)("%s, as its weights are drawn", async (_, build) => {
    await expectAgreement(build(), "NCHW");
  });

  it.each<[string, () => Model]>([
    ["lenet5", () => lenet5({ classes: 3 })],
    ["cifarVgg", () => cifarVgg({ classes: 3 })],
    ["resnet18", () => resnet18({ classes: 3, imageSize: 48 })],
    ["mobileNetV2", () => mobileNetV2({ classes: 3, imageSize: 48 })],
  ])("%s after some steps of training", async (_, build) => {
    const net = build();
    const optimizer = optimizers.adam({ learningRate: 0.001 });
    net.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    for (let step = 0; step < 4; step++) net.trainOnBatch(noise(step, 3, ...net.inputShape), [0, 1, 2]);
    await expectAgreement(net, "NCHW");
  });
});
