/** examples/fine-tune.ts on a file of PyTorch's, where the conformance data and MNIST are. */
import { existsSync, readFileSync } from "node:fs";
import { load, loadModel, tensor } from "im2row";
import { loadOnnx } from "im2row/onnx";
import { describe, expect, it } from "vitest";
import { fineTune, turned } from "../../examples/fine-tune.ts";
import { loadFolder } from "../../src/cli/data.ts";
import { DATA, skipped } from "../support/data.ts";
import { expectWithin } from "../support/float.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";

const [MODEL, MNIST] = [`${DATA}/conformance/models/cnn_mnist_pytorch/model.onnx`, `${DATA}/data/mnist`];
const absent = !existsSync(MODEL) || !existsSync(MNIST);
/** The bound of the tests of exported files, relative to the largest output. */
const BOUND = 1e-5;

const without = absent ? skipped("conformance/models/cnn_mnist_pytorch or data/mnist") : "";

it("turns as many images as there are", () => {
  const few = { images: tensor([1, 2, 3, 4], [1, 2, 2, 1]), labels: Int32Array.of(7) };
  expect(turned(few, 10)).toEqual({ images: tensor([2, 4, 1, 3], [1, 1, 2, 2]), labels: Int32Array.of(7) });
});

describe.skipIf(absent)(`a net of PyTorch's, with another last layer, learns turned digits${without}`, () => {
  it("and goes on as a safetensors file, an ONNX file and in onnxruntime", async () => {
    const { train, test } = loadFolder(MNIST);
    const [digits, judged] = [turned(train, 3000), turned(test, 1000)];
    const lines: string[] = [];
    const tuned = await fineTune(readFileSync(MODEL), "18", digits, judged, (line) => lines.push(line));
    expect(tuned.before).toBeLessThan(0.3);
    expect(tuned.after).toBeGreaterThan(0.9);
    expect(lines).toHaveLength(4);

    const engine = await load();
    const images = tensor(judged.images.data.slice(0, 5 * 784), [5, 1, 28, 28]);
    const saved = loadModel(tuned.safetensors);
    saved.compile({ engine });
    const expected = saved.predict(images).data;
    const net = await loadOnnx(tuned.onnx, { engine });
    expect(net.inputs).toMatchObject([{ name: "0", dims: ["N", 1, 28, 28] }]);
    const feeds = { [net.inputNames[0]!]: images };
    expect(net.predict(feeds)[net.outputNames[0]!]!.data).toEqual(expected);
    engine.dispose();
    if (onnxruntimeIsAbsent) return;
    const [theirs] = Object.values(await runOnnx(tuned.onnx, feeds));
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expectWithin(theirs!.data, [...expected], () => BOUND * largest);
  });
});
