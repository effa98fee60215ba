/** Sessions of nets from files: how many images they take, and the names of their outputs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, ShapeError, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo, type FileParts } from "../support/onnxFile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const open = (parts: FileParts): Promise<OnnxModel> => loadOnnx(onnxFile(parts), { engine });
const ones = (...shape: number[]): { shape: number[]; data: Float32Array } => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
});

/** Takes any number of images. */
const batched = (...dims: (number | string)[]): FileParts => ({
  nodes: [node("GlobalAveragePool", ["x"], "p"), node("Flatten", ["p"], "y")],
  inputs: [valueInfo("x", dims)],
  outputs: ["y"],
});
/** Joins the images. */
const whole = (...dims: (number | string)[]): FileParts => ({
  nodes: [node("Softmax", ["x"], "y", { axis: 0 })],
  inputs: [valueInfo("x", dims)],
  outputs: ["y"],
});

describe("a session of a net that takes any number of images", () => {
  it.each([
    ["one without a word", {}, 1],
    ["what batchSize says", { batchSize: 3 }, 3],
    ["as many as shapes have", { shapes: { x: [8, 2, 3, 3] } }, 8],
    ["both, when they agree", { batchSize: 8, shapes: { x: [8, 2, 3, 3] } }, 8],
  ])("takes %s", async (_, options, images) => {
    for (const first of ["n", 1, 5]) {
      const net = await open(batched(first, 2, 3, 3));
      const session = net.session(options);
      expect([session.batchSize, session.input.length]).toEqual([images, images * 18]);
      session.input.fill(1);
      session.run(images);
      expect([...session.output]).toEqual(Array.from({ length: 2 * images }, () => 1));
      net.dispose();
    }
  });

  it("is refused where shapes and batchSize contradict each other", async () => {
    const net = await open(batched("n", 2, 3, 3));
    expect(() => net.session({ batchSize: 4, shapes: { x: [8, 2, 3, 3] } })).toThrow(
      new ShapeError("session: expected 4 images in all shapes, got 8"),
    );
    const nodes = [node("Add", ["x", "z"], "y")];
    const inputs = [valueInfo("x", ["n", 2]), valueInfo("z", ["n", 2])];
    const sum = await open({ nodes, inputs, outputs: ["y"] });
    expect(() => sum.session({ shapes: { x: [3, 2], z: [4, 2] } })).toThrow(
      new ShapeError("session: expected 3 images in all shapes, got 4"),
    );
    expect(sum.session({ shapes: { z: [4, 2] } }).inputs["x"]!.length).toBe(8);
  });
});

describe("a session of a net that joins images", () => {
  it("takes as many as the file or the shapes say, and no others", async () => {
    const net = await open(whole(1, 4));
    expect(net.session().batchSize).toBe(1);
    expect(() => net.session({ batchSize: 4 })).toThrow(
      new ShapeError("session: expected 4 images in all shapes, got 1"),
    );
    for (const run of [() => net.session({ shapes: { x: [8, 4] } }), () => net.predict({ x: ones(8, 4) })]) {
      expect(run).toThrow(/: x: expected shape 1×4, got 8×4$/);
    }
  });

  it("runs as many as the shapes say", async () => {
    for (const options of [{ shapes: { x: [8, 4] } }, { batchSize: 8 }]) {
      const net = await open(whole("n", 4));
      const session = net.session(options);
      expect(session.batchSize).toBe(8);
      session.input.fill(1);
      session.run(8);
      expect([...session.output]).toEqual(Array.from({ length: 32 }, () => 1 / 8));
      expect(() => session.run(1)).toThrow("session.run: expected all 8 images of a net that joins them");
      net.dispose();
    }
  });
});

it("a net of open sizes takes any number of images as soon as it runs, whatever number the file declares", async () => {
  for (const size of [2, 3]) {
    const net = await open(batched(1, 2, "h", "w"));
    const shapes = [ones(4, 2, 3, 3), ones(5, 2, size, 3)];
    for (const x of shapes) {
      expect(net.predict({ x })["y"]!.shape).toEqual([x.shape[0], 2]);
      expect(net.notTrainable).toBeUndefined();
    }
    net.dispose();
  }
  const joining = await open(whole(1, "w"));
  expect(() => joining.predict({ x: ones(2, 4) })).toThrow("predict: x: expected shape 1×w, got 2×4");
});

it("outputs come in the order of the file, by names that are any text", async () => {
  const net = await open({
    nodes: [node("Relu", ["x"], "y"), node("Identity", ["c"], "__proto__")],
    inputs: [valueInfo("x", ["n", 2])],
    outputs: ["__proto__", "y"],
    initializers: [constant("c", [2], [3, 4])],
  });
  const { outputs } = net.session();
  expect(Object.keys(outputs)).toEqual(["__proto__", "y"]);
  expect([...Object.values(outputs)[0]!]).toEqual([3, 4]);
});

it("known integers that are none are refused, as those that are computed", async () => {
  const numbers = [1, NaN, Infinity, -2.5];
  for (const source of ["c", "x"]) {
    const net = await open({
      nodes: [node("Cast", [source], "y", { to: DATA_TYPE.int64 })],
      inputs: [valueInfo("x", ["n", 4])],
      outputs: ["y"],
      initializers: [constant("c", [1, 4], numbers)],
    });
    const predict = (): unknown => net.predict({ x: { shape: [1, 4], data: Float32Array.from(numbers) } });
    expect(predict).toThrow(ShapeError);
    expect(predict).toThrow(/^y: expected integers.*, got NaN$/);
  }
});
