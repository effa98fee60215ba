/** Nets from ONNX files as model files: saved as safetensors, loaded without ONNX, and trained on from there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  load,
  loadModel,
  losses,
  optimizers,
  OptionError,
  type Engine,
  type Model,
} from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { skipped } from "../support/data.ts";
import { noise, weightBits } from "../support/model.ts";
import { bitsOf } from "../support/float.ts";
import { CASES, GROUPS } from "./cases.ts";
import { node } from "../support/onnxFile.ts";
import { loadNet, noise as fileNoise } from "./support/net.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** Images for each input of a model, drawn by its place. */
const feedsOf = (model: Model): Record<string, ReturnType<typeof noise>> =>
  Object.fromEntries(model.inputs.map(({ name, shape }, i) => [name, noise(i + 1, 2, ...shape)]));

/** The model that is read back, once it gives the bits of the one that was saved. */
function again(model: Model): Model {
  const file = model.toSafetensors();
  const read = loadModel(file);
  read.compile({ engine });
  const feeds = feedsOf(model);
  const [before, after] = [model.predict(feeds), read.predict(feeds)];
  expect(Object.keys(after)).toEqual(Object.keys(before));
  for (const [name, { shape, data }] of Object.entries(before)) {
    expect(after[name]!.shape).toEqual(shape);
    expect(bitsOf(after[name]!.data)).toEqual(bitsOf(data));
  }
  expect(read.toSafetensors()).toEqual(file);
  return read;
}

const absent = !existsSync(CASES);

describe.skipIf(absent)(
  `the nets of the conformance suites${absent ? skipped("conformance/onnx") : ""}`,
  () => {
    it(
      "are saved and read with equal bits, or refused by the name of a layer or an input",
      { timeout: 300_000 },
      async () => {
        let saved = 0;
        const refused: string[] = [];
        for (const group of GROUPS) {
          for (const name of readdirSync(`${CASES}/${group}`)) {
            const net = await loadOnnx(readFileSync(`${CASES}/${group}/${name}/model.onnx`), { engine });
            if (net.notBatched === undefined) {
              try {
                again(net.model).dispose();
                saved++;
              } catch (error) {
                if (!(error instanceof OptionError)) throw error;
                refused.push(error.message);
              }
            }
            net.dispose();
          }
        }
        expect(saved).toBeGreaterThan(60);
        for (const message of refused) {
          expect(message).toMatch(
            /got a layer of the type onnx\.\w+|expected inputs of float32 or uint8, got int32/,
          );
        }
      },
    );
  },
);

const X = fileNoise(9, [2, 3, 5, 4]);
const constants = { w: fileNoise(2, [4, 3, 3, 3]), c: fileNoise(3, [1, 4, 1, 1]) };

function steps(model: Model): Record<string, Int32Array> {
  model.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 1e-4, momentum: 0.9 }),
    loss: losses.meanSquaredError(),
  });
  const labels = noise(7, 2, ...model.outputs[0]!.shape);
  for (let i = 0; i < 3; i++) model.trainOnBatch(feedsOf(model), labels);
  return weightBits(model);
}

it("a net of many operators is trained on with equal bits", async () => {
  const nodes = [
    node("Conv", ["x", "w"], "a", { pads: [1, 1, 1, 1] }),
    node("Mul", ["a", "c"], "b"),
    node("Exp", ["b"], "e"),
    node("ReduceMax", ["e"], "m", { axes: [3], keepdims: 0 }),
    node("LogSoftmax", ["m"], "y", { axis: 2 }),
  ];
  const net = await loadNet(engine, { given: { x: X }, constants, nodes });
  const read = again(net.model);
  expect(steps(read)).toEqual(steps(net.model));
  net.dispose();
});
