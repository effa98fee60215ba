import { input, layers, load, model, OptionError, sequential, tensor, type Engine } from "im2row";
import { loadModel } from "im2row/inference";
import { loadOnnx } from "im2row/onnx";
import { receiptOf, verifyReceipt, type InferenceReceipt } from "im2row/receipts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noise, scatter } from "../support/model.ts";
import { sha256 } from "./support.ts";

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const net = (seed = 1) => {
  const made = sequential({
    inputShape: [9, 9, 2],
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, activation: "tanh" }),
      layers.flatten(),
      layers.dense({ units: 4 }),
    ],
    seed,
  });
  return scatter(made, seed);
};

const x = noise(1, 5, 9, 9, 2);
const parse = (receipt: InferenceReceipt): InferenceReceipt =>
  JSON.parse(JSON.stringify(receipt)) as InferenceReceipt;

describe("receiptOf", () => {
  it("tells of the net, what it was fed and what it returned", async () => {
    const own = net();
    own.compile({ engine });
    const y = own.predict(x);
    const receipt = await receiptOf(own, x, y);
    const numbers = sha256(new Uint8Array(y.data.buffer)).toString("hex");
    expect(receipt).toMatchObject({
      format: "im2row receipt",
      version: 1,
      kind: "inference",
      numerics: 1,
      inputs: { input: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      outputs: { dense: sha256(`["Float32Array",[5,4],"${numbers}"]`).toString("hex") },
    });
    expect(await verifyReceipt(parse(receipt), { model: own, input: x })).toEqual({ ok: true });
    own.dispose();
  });

  it("is verified by the net from a file, without training, at two threads", async () => {
    const own = net();
    own.compile({ engine });
    const receipt = parse(await receiptOf(own, x, own.predict(x)));
    const two = await load({ threads: 2 });
    const other = loadModel(own.toSafetensors());
    other.compile({ engine: two });
    expect(await verifyReceipt(receipt, { model: other, input: x })).toEqual({ ok: true });
    expect(await receiptOf(other, x, other.predict(x))).toEqual(receipt);
    two.dispose();
    own.dispose();
  });

  it("is rejected for one bit in a weight, the input, the output", async () => {
    const own = net();
    own.compile({ engine });
    const y = own.predict(x);
    const receipt = parse(await receiptOf(own, x, y));
    const bits = (data: Float32Array, at: number): Float32Array => {
      const copy = data.slice();
      new Int32Array(copy.buffer)[at]! ^= 1;
      return copy;
    };
    const other = tensor(bits(x.data, 100), x.shape);
    expect(await verifyReceipt(receipt, { model: own, input: other })).toEqual({
      ok: false,
      reason: "the input is another: input",
    });
    const wrong = parse(await receiptOf(own, x, { shape: y.shape, data: bits(y.data, 7) }));
    expect(await verifyReceipt(wrong, { model: own, input: x })).toEqual({
      ok: false,
      reason: "the output is another: dense",
    });
    const weights = own.weights;
    const kernel = weights.get("conv2d.kernel")!;
    own.setWeights(new Map([...weights, ["conv2d.kernel", tensor(bits(kernel.data, 3), kernel.shape)]]));
    expect(await verifyReceipt(receipt, { model: own, input: x })).toEqual({
      ok: false,
      reason: "the net is another, or has other weights",
    });
    own.dispose();
  });

  it("takes tensors by name, and nets of ONNX files", async () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [4], name: "b" })];
    const sum = layers.add({ name: "sum" }).apply([a, b]);
    const own = model({
      inputs: [a, b],
      outputs: { sum, twice: layers.add({ name: "twice" }).apply([sum, sum]) },
    });
    own.compile({ engine });
    const fed = { a: noise(1, 3, 4), b: noise(2, 3, 4) };
    const receipt = parse(await receiptOf(own, fed, own.predict(fed)));
    expect(Object.keys(receipt.outputs)).toEqual(["sum", "twice"]);
    expect(await verifyReceipt(receipt, { model: own, input: fed })).toEqual({ ok: true });
    const onnx = await loadOnnx(own.toOnnx(), { engine });
    const second = parse(await receiptOf(onnx, fed, onnx.predict(fed)));
    expect(await verifyReceipt(second, { model: onnx, input: fed })).toEqual({ ok: true });
    expect(await verifyReceipt(second, { model: onnx, input: { ...fed, a: fed.b } })).toEqual({
      ok: false,
      reason: "the input is another: a",
    });
    onnx.dispose();
    own.dispose();
  });

  it("refuses nets on no engine, and what is no tensor", async () => {
    const own = net();
    await expect(receiptOf(own, x, x)).rejects.toThrow(
      "receiptOf: expected a net on an engine of exact math, which has the same bits everywhere, got none",
    );
    own.compile({ engine });
    await expect(receiptOf(own, x, [1] as never)).rejects.toThrow(OptionError);
    const receipt = await receiptOf(own, x, own.predict(x));
    await expect(verifyReceipt(receipt, {} as never)).rejects.toThrow(
      "verifyReceipt: model: expected the net of the receipt, got none",
    );
    own.dispose();
  });
});
