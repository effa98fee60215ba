/** onnxruntime computes from the files that nets of several layers write what the nets compute. `test/layers` has each layer. */
import { load, losses, optimizers, type Engine, type Model } from "im2row";
import { afterAll, beforeAll, describe, it } from "vitest";
import {
  cifarVgg,
  lenet5,
  mobileNetV2,
  resnet18,
  resnet50,
  squeezeNet,
} from "../../examples/networks/index.ts";
import { branched, everyLayer, softmaxNet, strided, winogradNet } from "../conformance/nets.ts";
import type { ModelCase } from "../layers/support/cases.ts";
import { noise, scatter } from "../support/model.ts";
import { onnxruntimeIsAbsent } from "../support/onnxruntime.ts";
import { GRAPH_CASES } from "./exported.ts";
import { expectAgreement } from "./support/agreement.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** The nets of the other tests, which have several layers behind one another. */
const NETS: ModelCase[] = [
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
    it.each<ModelCase>([...GRAPH_CASES, ...NETS])("%s", async (_, build, magnitude) => {
      await expectAgreement(engine, scatter(build(), 7), layout, magnitude);
    });
  });

  it.each(NETWORKS)("%s, as its weights are drawn", async (_, build) => {
    await expectAgreement(engine, build(), "NCHW");
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
    await expectAgreement(engine, net, "NCHW");
  });
});
