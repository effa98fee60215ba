/** Plans of one net for several shapes: they are found again, live side by side, and compute with one copy of the weights. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, type Engine, type Tensor } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type FileParts } from "../support/onnxFile.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** Elements of the filters: 256 KiB. */
const WEIGHTS = 2 ** 16;
const FILTERS = noise(1, 128, 512, 1, 1).data;

/** One mean of 128 filters over an image of any size, `[n, 128]`; its weights outweigh its buffers. */
const ANY_SIZE = {
  nodes: [
    node("Conv", ["x", "filters"], "conv"),
    node("GlobalAveragePool", ["conv"], "pool"),
    node("Flatten", ["pool"], "y"),
  ],
  inputs: [valueInfo("x", ["n", 512, 1, "w"])],
  outputs: ["y"],
  initializers: [constant("filters", [128, 512, 1, 1], FILTERS)],
} satisfies FileParts;

const open = (parts: FileParts, on: Engine = engine): Promise<OnnxModel> =>
  loadOnnx(onnxFile(parts), { engine: on });
const line = (width: number, images = 1): Tensor => noise(width, images, 512, 1, width);
const run = (net: OnnxModel, x: Tensor): Tensor => net.predict({ x })["y"] as Tensor;

/** What a net makes of an image that was loaded for it alone. */
async function alone(x: Tensor, parts: FileParts = ANY_SIZE): Promise<Tensor> {
  const net = await open(parts);
  const y = run(net, x);
  net.dispose();
  return y;
}

describe("a net of open sizes", () => {
  it("finds its last eight plans again, and lets go of the one that was used longest ago", async () => {
    const net = await open(ANY_SIZE);
    const models = [1, 2, 3, 4, 5, 6, 7, 8].map((width) => {
      run(net, line(width));
      return net.model;
    });
    // In another order and for other numbers of images.
    for (const width of [3, 8, 1, 2, 4, 5, 6, 7]) {
      expect(run(net, line(width, 2))).toEqual(await alone(line(width, 2)));
      expect(net.model).toBe(models[width - 1]);
    }
    run(net, line(9));
    run(net, line(8));
    expect(net.model).toBe(models[7]);
    run(net, line(3));
    expect(net.model).not.toBe(models[2]);
    expect(() => models[2]!.predict(line(3))).toThrow("predict: expected a compiled model");
    net.dispose();
  });

  it("holds its weights once, whatever shapes it is planned for", async () => {
    const { used } = engine.memory;
    const net = await open(ANY_SIZE);
    run(net, line(4));
    const first = engine.memory.used - used;
    expect(first).toBeGreaterThan(4 * WEIGHTS);
    run(net, line(5));
    // Neither the weights nor what convolutions make of them: half as much would be a workspace.
    const most = 2 * WEIGHTS;
    expect(engine.memory.used - used - first).toBeLessThan(most);
    const before = engine.memory.used;
    const session = net.session({ shapes: { x: [1, 512, 1, 5] } });
    expect(engine.memory.used - before).toBeLessThan(most);
    session.dispose();
    expect(engine.memory.used).toBe(before);
    net.dispose();
    expect(engine.memory.used).toBe(used);
  });

  it("has sessions for several shapes side by side", async () => {
    const net = await open(ANY_SIZE);
    const widths = [3, 5, 9];
    const sessions = widths.map((width) => net.session({ shapes: { x: [1, 512, 1, width] } }));
    // More plans than are kept: those with sessions stay.
    for (let width = 10; width < 20; width++) run(net, line(width));
    for (const [i, session] of sessions.entries()) session.input.set(line(widths[i]!).data);
    for (const [i, session] of sessions.entries()) {
      session.run();
      const output = session.output.slice();
      expect(output).toEqual((await alone(line(widths[i]!))).data);
    }
    net.dispose();
    expect(() => sessions[0]!.run()).toThrow("session: expected a live session");
  });

  it("lets go of plans where memory does not suffice for all of them", async () => {
    // The larger half of the plans does not fit beside the others.
    const small = await load({ maximumMemory: 2 ** 23 });
    const net = await open({ ...ANY_SIZE, inputs: [valueInfo("x", ["n", 512, "h", "w"])] }, small);
    for (let h = 1; h <= 8; h++) {
      const x = noise(h, 1, 512, h, 96);
      expect(run(net, x).shape).toEqual([1, 128]);
    }
    const session = net.session({ shapes: { x: [1, 512, 4, 96] } });
    session.run();
    small.dispose();
  });
});

describe("training", () => {
  const settings = { optimizer: optimizers.adam({ learningRate: 0.01 }), loss: losses.meanSquaredError() };

  it("of one plan is seen by all others, and by their sessions", async () => {
    const net = await open(ANY_SIZE);
    const session = net.session({ shapes: { x: [1, 512, 1, 3] } });
    session.input.set(line(3).data);
    session.run();
    const before = session.output.slice();
    run(net, line(5));
    net.compile(settings);
    net.trainOnBatch(line(5, 2), noise(2, 2, 128));
    const file = net.toOnnx();
    session.run();
    expect(session.output).not.toEqual(before);
    const again = await loadOnnx(file, { engine });
    const after = run(again, line(3)).data;
    expect(session.output).toEqual(after);
    expect(run(net, line(7))).toEqual(run(again, line(7)));
    // The plan that trains is found again with its optimizer.
    run(net, line(5));
    net.trainOnBatch(line(5, 2), noise(2, 2, 128));
    for (const each of [net, again]) each.dispose();
  });

  it("goes on while other shapes are predicted", async () => {
    const net = await open(ANY_SIZE);
    const twin = await open(ANY_SIZE);
    for (const each of [net, twin]) {
      run(each, line(4));
      each.compile(settings);
    }
    const data = [line(4, 8), noise(3, 8, 128)] as const;
    const seen: Tensor[] = [];
    await net.fit(...data, { epochs: 1, batchSize: 2, onBatchEnd: () => void seen.push(run(net, line(6))) });
    await twin.fit(...data, { epochs: 1, batchSize: 2 });
    expect(seen.length).toBe(4);
    expect(seen[3]).toEqual(run(twin, line(6)));
    expect(net.toOnnx()).toEqual(twin.toOnnx());
    for (const each of [net, twin]) each.dispose();
  });

  it("is refused to get lost with weights that the file computes from the shapes", async () => {
    // There are as many filters as the image is wide.
    const parts = {
      nodes: [
        node("Shape", ["x"], "shape", { start: 3 }),
        node("ConstantOfShape", ["shape"], "ones", { value: constant("", [1], [0.5]) }),
        node("Reshape", ["ones", "filter"], "filters"),
        node("Conv", ["x", "filters"], "conv"),
        node("GlobalAveragePool", ["conv"], "pool"),
        node("Flatten", ["pool"], "y"),
      ],
      inputs: [valueInfo("x", ["n", 1, 2, "w"])],
      outputs: ["y"],
      initializers: [constant("filter", [4], BigInt64Array.of(-1n, 1n, 1n, 1n))],
    } satisfies FileParts;
    const net = await open(parts);
    const x = (width: number): Tensor => noise(width, 1, 1, 2, width);
    run(net, x(4));
    run(net, x(5));
    run(net, x(4));
    net.compile({ optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.meanSquaredError() });
    net.trainOnBatch(x(4), noise(5, 1, 4));
    const reason = /^(predict|toOnnx): conv\w*\.kernel: expected a weight that stands in the file, got one/;
    expect(() => run(net, x(5))).toThrow(reason);
    expect(() => net.toOnnx()).toThrow(reason);
    run(net, x(4));
    net.dispose();
  });
});

it("normalization that is folded into filters is so for all plans, and again when weights have changed", async () => {
  const vector = (seed: number): Float32Array => noise(seed, 8).data.map((x) => 1 + x / 2);
  const parts = {
    nodes: [
      node("Conv", ["x", "filters"], "conv", { kernel_shape: [3, 3] }),
      node("BatchNormalization", ["conv", "gamma", "beta", "mean", "variance"], "normal"),
      node("GlobalAveragePool", ["normal"], "pool"),
      node("Flatten", ["pool"], "y"),
    ],
    inputs: [valueInfo("x", ["n", 4, "h", "w"])],
    outputs: ["y"],
    initializers: [
      constant("filters", [8, 4, 3, 3], noise(1, 8, 4, 3, 3).data),
      ...["gamma", "beta", "mean", "variance"].map((name, i) => constant(name, [8], vector(i + 2))),
    ],
  } satisfies FileParts;
  const net = await open(parts);
  const x = (h: number): Tensor => noise(h, 2, 4, h, 7);
  for (const h of [5, 6, 16]) expect(run(net, x(h))).toEqual(await alone(x(h), parts));
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.meanSquaredError() });
  net.trainOnBatch(x(16), noise(3, 2, 8));
  const again = await loadOnnx(net.toOnnx(), { engine });
  // Moving statistics are of the trained net's own making: the file has them as well.
  for (const h of [6, 16, 5, 9]) expect(run(net, x(h))).toEqual(run(again, x(h)));
  for (const each of [net, again]) each.dispose();
});

it("weights that are moved to another engine take their plans off the first one", async () => {
  const other = await load();
  const net = await open(ANY_SIZE);
  const session = net.session({ shapes: { x: [1, 512, 1, 3] } });
  run(net, line(4));
  const { model } = net;
  model.compile({ engine: other });
  expect(() => session.run()).toThrow("session: expected a live session, got one that was disposed");
  const expected = await alone(line(4));
  expect(run(net, line(4))).toEqual(expected);
  // The first shape is planned on the net's engine again.
  expect(run(net, line(3))).toEqual(await alone(line(3)));
  expect(() => model.predict(line(4))).toThrow("predict: expected a compiled model");
  expect(run(net, line(4))).toEqual(expected);
  net.dispose();
  expect(other.memory.used).toBe(0);
  other.dispose();
});
