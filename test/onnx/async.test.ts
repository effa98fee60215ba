/** `predictAsync` and `evaluateAsync` of a net from a file: the bits of `predict`, beside plans for other shapes. */
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { load, losses, optimizers, type Engine, type Tensor } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());
afterEach(() => void vi.restoreAllMocks());

const open = (parts: object = {}): Promise<OnnxModel> =>
  loadOnnx(
    onnxFile({
      nodes: [
        node("Conv", ["x", "filters"], "conv"),
        node("GlobalAveragePool", ["conv"], "pool"),
        node("Flatten", ["pool"], "y"),
      ],
      inputs: [valueInfo("x", ["n", 3, 1, "w"])],
      outputs: ["y"],
      initializers: [constant("filters", [4, 3, 1, 1], noise(1, 12).data)],
      ...parts,
    }),
    { engine },
  );
const line = (width: number, images: number): Tensor => noise(width, images, 3, 1, width);

/** Others get a turn after each batch. */
function hurry(): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 12));
}

it("has the bits of predict, in batches, while plans for more shapes than are kept come and go", async () => {
  hurry();
  const net = await open();
  const x = line(5, 40);
  const expected = net.predict({ x });
  const runs = [net.predictAsync({ x }, { batchSize: 1 }), net.predictAsync({ x }, { batchSize: 3 })];
  const others = [...Array(12).keys()].map((i) => line(i + 6, 2));
  for (const other of others) {
    await new Promise((resolve) => setImmediate(resolve));
    net.predict({ x: other });
  }
  for (const run of runs) expect(await run).toEqual(expected);
  net.dispose();
});

it("evaluates with the bits of evaluate, and is refused when training changes the weights meanwhile", async () => {
  hurry();
  const net = await open();
  const [x, y] = [line(5, 30), noise(2, 30, 4)];
  net.predict({ x });
  net.compile({ optimizer: optimizers.adam(), loss: losses.meanSquaredError() });
  expect(await net.evaluateAsync(x, y, { batchSize: 4 })).toEqual(net.evaluate(x, y, { batchSize: 4 }));
  for (const [name, run] of [
    ["evaluateAsync", net.evaluateAsync(x, y, { batchSize: 4 })],
    ["predictAsync", net.predictAsync({ x }, { batchSize: 4 })],
  ] as const) {
    run.catch(() => {});
    net.trainOnBatch(x, y);
    await expect(run).rejects.toThrow(`${name}: expected the same weights to the end, got others meanwhile`);
  }
  net.dispose();
});

it("ends by its signal, and when the net is disposed of", async () => {
  hurry();
  const net = await open();
  const x = line(5, 30);
  const gone = AbortSignal.abort(new Error("enough"));
  await expect(net.predictAsync({ x }, { signal: gone })).rejects.toThrow(/^enough$/);
  const run = net.predictAsync({ x }, { batchSize: 4 });
  setImmediate(() => net.dispose());
  await expect(run).rejects.toThrow("predictAsync: expected the model to the end, got one that was disposed");
});

it("computes at once what joins the images, and what nothing is computed for", async () => {
  const joined = await open({
    nodes: [node("ReduceSum", ["x"], "y", { keepdims: 0 })],
    initializers: [],
    inputs: [valueInfo("x", [4, 3, 1, 5])],
  });
  const x = line(5, 4);
  expect(joined.notBatched).toBeDefined();
  expect(await joined.predictAsync({ x }, { batchSize: 1 })).toEqual(joined.predict({ x }));
  const known = await open({ nodes: [node("Shape", ["x"], "y")], initializers: [] });
  expect(await known.predictAsync({ x })).toEqual(known.predict({ x }));
  const gone = AbortSignal.abort(new Error("enough"));
  await expect(known.predictAsync({ x }, { signal: gone })).rejects.toThrow(/^enough$/);
});

it("refuses by rejecting, and names itself", async () => {
  const net = await open();
  await expect(net.predictAsync({})).rejects.toThrow(
    "predictAsync: x: expected { shape, data }, got undefined",
  );
  await expect(net.predictAsync({ x: noise(1, 2, 4, 1, 5) })).rejects.toThrow(
    "predictAsync: x: expected shape n×3×1×w, got 2×4×1×5",
  );
  await expect(net.predictAsync({ x: line(5, 1) }, { size: 1 } as never)).rejects.toThrow(
    `predictAsync: expected the options batchSize, signal; got "size"`,
  );
});
