/** Images of bytes as inputs: the net computes what it computes of the same numbers as floats. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  FormatError,
  input,
  layers,
  load,
  loadModel,
  losses,
  model,
  optimizers,
  OptionError,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Layer,
  type Model,
} from "../../src/index.ts";
import { random } from "../support/random.ts";
import { weightBits } from "../support/model.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";
import { expectWithin } from "../support/float.ts";
import type { Any } from "../support/options.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const [N, H, W, C] = [7, 9, 8, 3];
const SHAPE = [N, H, W, C];
const bytes = { shape: SHAPE, data: Uint8Array.from(random(1).integers(N * H * W * C, 0, 255)) };
const floats = tensor(Float32Array.from(bytes.data), SHAPE);

/** What stands in front of a net, to 6×5 pixels. */
const FRONTS: Record<string, () => Layer[]> = {
  rescaling: () => [
    layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
    layers.centerCrop({ height: 6, width: 5 }),
  ],
  centerCrop: () => [layers.centerCrop({ height: 6, width: 5 }), layers.rescaling({ scale: 0.01 })],
  "resizing, bilinear": () => [
    layers.resizing({ height: 6, width: 5 }),
    layers.rescaling({ scale: 1 / 255 }),
  ],
  "resizing, nearest": () => [
    layers.resizing({ height: 6, width: 5, interpolation: "nearest" }),
    layers.rescaling({ scale: 1 / 255 }),
  ],
};

const build = (front: Layer[], inputDtype?: "float32" | "uint8"): Model =>
  sequential({
    inputShape: [H, W, C],
    inputDtype,
    layers: [
      ...front,
      layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
    seed: 5,
  });

describe.each(Object.entries(FRONTS))("images of bytes through %s", (_, front) => {
  it("are predicted as floats are, in batches, by name, in a session, and after saving", () => {
    const expected = build(front()).compile({ engine }).predict(floats).data;
    const net = build(front(), "uint8");
    expect(net.inputs).toEqual([{ name: "input", shape: [H, W, C], dtype: "uint8" }]);
    const again = loadModel(net.toSafetensors());
    expect(again.inputs).toEqual(net.inputs);
    expect(again.toSafetensors()).toEqual(net.toSafetensors());
    for (const each of [net, again]) {
      each.compile({ engine });
      expect(each.predict(bytes, { batchSize: 3 }).data).toEqual(expected);
      const [named] = Object.values(each.predict({ input: bytes }));
      expect(named!.data).toEqual(expected);
      const session = each.session({ batchSize: N });
      expect(session.input).toBeInstanceOf(Uint8Array);
      expect(session.input).toHaveLength(N * H * W * C);
      session.input.set(bytes.data);
      session.run();
      expect(session.output).toEqual(expected);
      each.dispose();
    }
  });

  it("train to the same bits, as tensors and as a stream, and evaluate", async () => {
    const labels = Int32Array.from({ length: N }, (__, i) => i % 3);
    const outcome = async (
      dtype: "float32" | "uint8",
      images: typeof floats | typeof bytes,
      stream = false,
    ) => {
      const net = build(front(), dtype);
      net.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
      if (stream) await net.fit(() => [[images, labels] as const], { epochs: 2 });
      else await net.fit(images, labels, { epochs: 2, batchSize: N, shuffle: false });
      const result = { loss: net.evaluate(images, labels).loss, weights: weightBits(net) };
      net.trainOnBatch(images, labels);
      net.dispose();
      return result;
    };
    const expected = await outcome("float32", floats);
    expect(await outcome("uint8", bytes)).toEqual(expected);
    expect(await outcome("uint8", bytes, true)).toEqual(expected);
  });

  it.skipIf(onnxruntimeIsAbsent)("are bytes in ONNX files, which onnxruntime agrees about", async () => {
    const net = build(front(), "uint8").compile({ engine });
    const { data } = net.predict(bytes);
    const outputs = await runOnnx(net.toOnnx({ layout: "NHWC" }), { input: bytes });
    const [output] = Object.values(outputs);
    const largest = Math.max(...data.map(Math.abs));
    expectWithin(output!.data as Float32Array, data, () => 1e-5 * largest);
    net.dispose();
  });
});

describe("inputs of bytes", () => {
  it("take a quarter of the memory", () => {
    const used = (dtype: "float32" | "uint8"): number => {
      const x = input({ shape: [64, 64, 3], dtype });
      const small = layers.centerCrop({ height: 2, width: 2 }).apply(x);
      const net = model({ inputs: x, outputs: layers.rescaling({ scale: 1 }).apply(small) });
      net.compile({ engine });
      const before = engine.memory.used;
      net.session({ batchSize: 100 });
      const bytesOfSession = engine.memory.used - before;
      net.dispose();
      return bytesOfSession;
    };
    const saved = used("float32") - used("uint8");
    expect(saved).toBeGreaterThanOrEqual(3 * 100 * 64 * 64 * 3);
  });

  it("are one of several of a model", () => {
    const image = input({ shape: [2, 2, 1], dtype: "uint8", name: "image" });
    const extra = input({ shape: [4], name: "extra" });
    const flat = layers.flatten().apply(layers.rescaling({ scale: 2, offset: 1 }).apply(image));
    const net = model({ inputs: [image, extra], outputs: layers.add().apply([flat, extra]) });
    net.compile({ engine });
    const images = { shape: [1, 2, 2, 1], data: Uint8Array.of(0, 1, 128, 255) };
    const [sum] = Object.values(net.predict({ image: images, extra: tensor([0.5, 0.5, 0.5, 0.5], [1, 4]) }));
    expect([...sum!.data]).toEqual([1.5, 3.5, 257.5, 511.5]);
    net.dispose();
  });

  it("take nothing else, and layers that compute with floats do not take them", () => {
    const net = build(FRONTS["rescaling"]!(), "uint8").compile({ engine });
    expect(() => net.predict(floats)).toThrow(ShapeError);
    expect(() => net.predict(floats)).toThrow(
      "predict: images.data: expected a Uint8Array, got Float32Array",
    );
    net.dispose();
    const plain = build(FRONTS["rescaling"]!()).compile({ engine });
    expect(() => plain.predict(bytes)).toThrow(
      "predict: images.data: expected a Float32Array, got Uint8Array",
    );
    plain.dispose();
    const x = input({ shape: [4, 4, 4], dtype: "uint8" });
    for (const layer of [
      layers.conv2d({ filters: 1, kernelSize: 1 }),
      layers.flatten(),
      layers.permute({ dims: [3, 1, 2] }),
      layers.spaceToDepth({ blockSize: 2 }),
      layers.randomFlip(),
    ]) {
      expect(() => layer.apply(x)).toThrow(OptionError);
      expect(() => layer.apply(x)).toThrow(`${layer.type}: expected inputs of float32, got uint8`);
    }
    expect(() => input({ shape: [1], dtype: "int8" as Any })).toThrow(
      `input: dtype: expected one of "float32", "uint8"; got "int8"`,
    );
    expect(() => build([], "float16" as Any)).toThrow(
      `sequential: inputDtype: expected one of "float32", "uint8"; got "float16"`,
    );
  });

  it("are refused in files that name another type", () => {
    const file = build(FRONTS["rescaling"]!(), "uint8").toSafetensors();
    const text = Buffer.from(file)
      .toString("latin1")
      .replace(String.raw`\"uint8\"`, String.raw`\"uint9\"`);
    expect(() => loadModel(Uint8Array.from(Buffer.from(text, "latin1")))).toThrow(FormatError);
  });

  it("have gradients of their numbers", () => {
    const net = sequential({
      inputShape: [2, 1, 1],
      inputDtype: "uint8",
      layers: [layers.rescaling({ scale: 0.5 }), layers.flatten()],
    });
    net.compile({ engine });
    const images = { shape: [1, 2, 1, 1], data: Uint8Array.of(3, 4) };
    const gradients = net.inputGradients(images, { outputGradients: tensor([1, -2], [1, 2]) });
    expect([...gradients.data]).toEqual([0.5, -1]);
    net.dispose();
  });
});
