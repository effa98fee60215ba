/** Nets of very many nodes: what they take grows with the file, by and large, and not with its square. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const list = <T>(count: number, each: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => each(i));
const x = valueInfo("x", ["n", 4]);

/** Files that grow with a number. */
const FILES: Readonly<Record<string, (count: number) => Uint8Array>> = {
  "a chain": (count) =>
    onnxFile({
      nodes: list(count, (i) => node("Abs", [i === 0 ? "x" : `v${i - 1}`], `v${i}`)),
      inputs: [x],
      outputs: [`v${count - 1}`],
    }),
  "a chain whose values lie apart": (count) =>
    onnxFile({
      nodes: list(count, (i) => node("Softmax", [i === 0 ? "x" : `v${i - 1}`], `v${i}`)),
      inputs: [x],
      outputs: [`v${count - 1}`],
    }),
  outputs: (count) =>
    onnxFile({
      nodes: list(count, (i) => node("Abs", ["x"], `v${i}`)),
      inputs: [x],
      outputs: list(count, (i) => `v${i}`),
    }),
  "the inputs of a sum": (count) =>
    onnxFile({
      nodes: [
        node(
          "Sum",
          list(count, (i) => `x${i}`),
          "y",
        ),
      ],
      inputs: list(count, (i) => valueInfo(`x${i}`, ["n", 4])),
      outputs: ["y"],
    }),
  "the values of a concatenation": (count) =>
    onnxFile({
      nodes: [
        node(
          "Concat",
          list(count, () => "x"),
          "y",
          { axis: 1 },
        ),
      ],
      inputs: [x],
      outputs: ["y"],
    }),
};

/**
 * Milliseconds of the processor to load, predict, open a session and run it, write and describe: the least of as many times as
 * half a second takes, one at least, since what is over in milliseconds may meet a collection of garbage.
 */
async function costOf(file: Uint8Array): Promise<number> {
  let [least, spent] = [Infinity, 0];
  while (spent < 500) {
    const started = process.cpuUsage();
    const net = await loadOnnx(file, { engine });
    const one: OnnxTensor = { shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) };
    net.predict(Object.fromEntries(net.inputNames.map((name) => [name, one])));
    net.session({ batchSize: 1 }).run();
    net.toOnnx();
    net.summary();
    net.dispose();
    const { user, system } = process.cpuUsage(started);
    const cost = (user + system) / 1000;
    least = Math.min(least, cost);
    spent += cost;
  }
  return least;
}

describe("the cost of a net", () => {
  it.each(Object.keys(FILES))("grows with %s", { timeout: 300_000 }, async (name) => {
    const fileOf = FILES[name]!;
    const few = await costOf(fileOf(2000));
    const many = await costOf(fileOf(20_000));
    // Ten times as much, or somewhat more for sorting and for memory; its square would be a hundred.
    expect(many / few).toBeLessThan(35);
  });
});
