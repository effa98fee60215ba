/** Nets that take images of bytes, from files whose inputs are uint8 and in files that models of bytes write. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  tensor,
  type Engine,
  type Layer,
  type Model,
} from "im2row";
import { loadOnnx } from "im2row/onnx";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { expectWithin } from "../support/float.ts";
import { random } from "../support/random.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

const [N, H, W, C] = [3, 9, 8, 3];
const nhwc = { shape: [N, H, W, C], data: Uint8Array.from(random(1).integers(N * H * W * C, 0, 255)) };
const nchw = { shape: [N, C, H, W], data: new Uint8Array(nhwc.data.length) };
nhwc.data.forEach((byte, i) => {
  const [image, pixel, c] = [Math.floor(i / (H * W * C)), Math.floor(i / C) % (H * W), i % C];
  nchw.data[(image * C + c) * H * W + pixel] = byte;
});

const FRONTS: Record<string, () => Layer[]> = {
  rescaling: () => [layers.rescaling({ scale: 1 / 127.5, offset: -1 })],
  "resizing, bilinear": () => [
    layers.resizing({ height: 6, width: 5 }),
    layers.rescaling({ scale: 1 / 255 }),
  ],
  "resizing, nearest": () => [
    layers.resizing({ height: 6, width: 5, interpolation: "nearest" }),
    layers.rescaling({ scale: 1 / 255 }),
  ],
};
const CROP = () => [layers.centerCrop({ height: 6, width: 5 }), layers.rescaling({ scale: 1 / 255 })];

const build = (front: Layer[]): Model =>
  sequential({
    inputShape: [H, W, C],
    inputDtype: "uint8",
    layers: [
      ...front,
      layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
      layers.globalAveragePooling2d(),
      layers.dense({ units: 3, name: "scores" }),
    ],
    seed: 5,
  }).compile({ engine });

describe.each(["NCHW", "NHWC"] as const)("a model of bytes in a file, %s,", (layout) => {
  const feed = { input: layout === "NCHW" ? nchw : nhwc };

  it.skipIf(onnxruntimeIsAbsent).each(Object.entries({ ...FRONTS, centerCrop: CROP }))(
    "is run on bytes by onnxruntime: %s",
    async (_, front) => {
      const net = build(front());
      const expected = net.predict(nhwc).data;
      const { scores } = await runOnnx(net.toOnnx({ layout }), feed);
      expectWithin(scores!.data, expected, () => 1e-6);
      net.dispose();
    },
  );

  it.each(Object.entries(FRONTS))("is read again, and its images stay bytes: %s", async (_, front) => {
    const net = build(front());
    const expected = net.predict(nhwc).data;
    const again = await loadOnnx(net.toOnnx({ layout }), { engine });
    expect(again.inputs).toMatchObject([{ name: "input", type: "uint8" }]);
    expect(again.notBatched).toBeUndefined();
    const { scores } = again.predict(feed);
    expectWithin(scores!.data as Float32Array, expected, () => 1e-6);
    expect(again.model.inputs).toMatchObject([{ dtype: "uint8" }]);
    const session = again.session({ batchSize: N });
    (session.input as Uint8Array).set(feed.input.data);
    session.run();
    expect(session.input).toBeInstanceOf(Uint8Array);
    expect(session.output).toEqual(scores!.data);
    // Its own file has the input of bytes again.
    const third = await loadOnnx(again.model.toOnnx(), { engine });
    expectWithin(third.predict(feed)["scores"]!.data as Float32Array, expected, () => 1e-6);
    for (const each of [third, again, net]) each.dispose();
  });
});

const file = (nodes: ReturnType<typeof node>[], outputs = ["y"], images: number | string = "n"): Uint8Array =>
  onnxFile({
    version: 18,
    inputs: [valueInfo("x", [images, 2, 2], DATA_TYPE.uint8)],
    initializers: [constant("w", [1], Float32Array.of(0.5))],
    nodes,
    outputs,
  });
const x = { shape: [2, 2, 2], data: Uint8Array.of(0, 1, 2, 3, 252, 253, 254, 255) };

describe("an input of uint8", () => {
  it("becomes floats or integers by Cast, and may be turned before", async () => {
    const net = await loadOnnx(
      file(
        [
          node("Identity", ["x"], "same"),
          node("Transpose", ["same"], "turned", { perm: [0, 2, 1] }),
          node("Cast", ["turned"], "floats", { to: DATA_TYPE.float32 }),
          node("Mul", ["floats", "w"], "y"),
          node("Cast", ["x"], "integers", { to: DATA_TYPE.int32 }),
          node("Cast", ["x"], "truths", { to: DATA_TYPE.bool }),
        ],
        ["y", "integers", "truths"],
      ),
      { engine },
    );
    expect(net.predict({ x })).toEqual({
      y: { shape: [2, 2, 2], data: Float32Array.of(0, 1, 0.5, 1.5, 126, 127, 126.5, 127.5) },
      integers: { shape: [2, 2, 2], data: Int32Array.from(x.data) },
      truths: { shape: [2, 2, 2], data: Uint8Array.of(0, 1, 1, 1, 1, 1, 1, 1) },
    });
    expect(() => net.predict({ x: tensor(Array.from(x.data), x.shape) })).toThrow(
      "predict: x.data: expected a Uint8Array, got ",
    );
    net.dispose();
  });

  it("is whole where a net joins its images", async () => {
    const net = await loadOnnx(
      file([
        node("Cast", ["x"], "floats", { to: DATA_TYPE.float32 }),
        node("ReduceSum", ["floats"], "y", { keepdims: 0 }),
      ]),
      { engine },
    );
    expect(net.predict({ x })["y"]!.data).toEqual(Float32Array.of(1020));
    expect(net.notBatched).toBeDefined();
    net.dispose();
  });

  it("trains", async () => {
    const origin = build(FRONTS["rescaling"]!());
    const net = await loadOnnx(origin.toOnnx(), { engine });
    const compiled = { optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.softmaxCrossEntropy() };
    net.compile(compiled);
    origin.compile({ engine, ...compiled });
    const { loss } = await net.fit(nchw, [0, 1, 2], { epochs: 3, shuffle: false });
    const expected = await origin.fit(nhwc, [0, 1, 2], { epochs: 3, shuffle: false });
    loss.forEach((value, i) => expect(value).toBeCloseTo(expected.loss[i]!, 5));
    for (const each of [net, origin]) each.dispose();
  });

  it.each([
    [
      "a Cast",
      [node("Relu", ["x"], "y")],
      "y (Relu): expected a Cast of the bytes to float32 in front, got uint8",
    ],
    [
      "no output of bytes",
      [node("Identity", ["x"], "y")],
      "y: expected an output of floats or integers, got uint8",
    ],
  ])("wants %s", async (_, nodes, message) => {
    await expect(loadOnnx(file(nodes), { engine })).rejects.toThrow(message);
  });
});
