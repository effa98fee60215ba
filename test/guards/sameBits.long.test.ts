/** On a guarded heap everything is as on a plain one: no write outside of a buffer, and no read of what was not written. */
import { expectSame, loadAll, type Engines, type Numbers } from "./engines.ts";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TrainingError, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import golden from "../conformance/digests.json" with { type: "json" };
import { operatorsDigest } from "../conformance/operatorsDigest.ts";
import { weightsDigest } from "../conformance/weightsDigest.ts";
import { CASES, dataSets, GROUPS } from "../onnx/cases.ts";
import { skipped } from "../support/data.ts";
import { randomNet } from "../support/randomNets.ts";
import { splitEverything } from "../support/threads.ts";

const NETS = 200;
const SEED = 20263;

splitEverything();

let engines: Engines;
beforeAll(async () => {
  engines = await loadAll();
});
afterAll(() => engines.dispose());

it(
  "every eager operator, and the training of every layer, on one thread and three",
  { timeout: 300_000 },
  () => {
    for (const [name, engine] of Object.entries(engines.others)) {
      expect(operatorsDigest(engine), name).toBe(golden.operators);
      expect(weightsDigest(engine), name).toBe(golden.weights);
    }
  },
);

/** Three steps of training, with batches that grow and shrink, then inference by both ways. */
function exercise(engine: Engine, seed: number): Numbers[] {
  const { model, optimizer, loss, batch } = randomNet(seed);
  model.compile({ engine, optimizer, loss });
  const results: Numbers[] = [];
  try {
    for (const [step, n] of [2, 3, 1].entries()) {
      const { images, labels } = batch(seed * 10 + step, n);
      results.push(Float64Array.of(model.trainOnBatch(images, labels)));
    }
  } catch (error) {
    // A net that was drawn may overflow; it does so everywhere.
    if (!(error instanceof TrainingError)) throw error;
    results.push(Float64Array.of(error.step));
  }
  for (const { data } of model.weights.values()) results.push(data);
  for (const { data } of model.gradients.values()) results.push(data);
  const { images, labels } = batch(seed * 10 + 9, 3);
  results.push(model.predict(images).data, Float64Array.of(model.evaluate(images, labels).loss));
  const session = model.session({ batchSize: 4 });
  for (const n of [3, 1]) {
    session.input.set(images.data);
    session.run(n);
    results.push(session.output.slice(0, 3 * n));
  }
  model.dispose();
  return results;
}

it(`${NETS} random nets, seed ${SEED}, in training and inference`, { timeout: 600_000 }, async () => {
  let finite = 0;
  for (let i = 0; i < NETS; i++) {
    const results = await expectSame(engines, `net ${SEED + i}`, (engine) => exercise(engine, SEED + i));
    if (results.every((data) => Array.from(data as Float32Array).every(Number.isFinite))) finite++;
  }
  expect(finite, "nets with finite results, which alone would show that NaN was read").toBeGreaterThan(
    NETS * 0.9,
  );
});

const absent = !existsSync(CASES);

describe.skipIf(absent)(`ONNX's conformance suites${absent ? skipped("conformance/onnx") : ""}`, () => {
  it.each(GROUPS)("%s", { timeout: 300_000 }, async (group) => {
    for (const name of readdirSync(`${CASES}/${group}`).sort()) {
      const folder = `${CASES}/${group}/${name}`;
      const bytes = readFileSync(`${folder}/model.onnx`);
      await expectSame(engines, name, async (engine) => {
        const net = await loadOnnx(bytes, { engine });
        const results: Numbers[] = [];
        for (const { feeds } of dataSets(folder, net.inputNames)) {
          for (const { data } of Object.values(net.predict(feeds))) results.push(data as Numbers);
        }
        net.dispose();
        return results;
      });
    }
  });
});
