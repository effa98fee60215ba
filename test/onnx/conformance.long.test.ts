/**
 * ONNX's own conformance suites, its light networks, and two trained models, all of which lie outside of the
 * repository.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFolder } from "../../src/cli/data.ts";
import { argmaxRows } from "../../src/cli/report.ts";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { Random } from "../../src/random.ts";
import { sizeOf } from "../../src/tensor.ts";
import { DATA, skipped } from "../support/data.ts";
import { CASES, difference, GROUPS, readTensorFile, runCase, type CaseResult } from "./cases.ts";

/** Cases of the suites: fewer would mean that some were not found. */
const COUNT = 299;

const absent = !existsSync(CASES);
const why = absent ? skipped("conformance/onnx") : "";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

/** Counts the cases of each operator that passed, failed and are unsupported. */
function table(results: readonly CaseResult[]): string {
  const operators = [...new Set(results.flatMap((result) => result.operators))].sort();
  const rows = operators.map((operator) => {
    const own = results.filter((result) => result.operators.includes(operator));
    const count = (status: CaseResult["status"]): string =>
      String(own.filter((result) => result.status === status).length).padStart(11);
    return `${operator.padEnd(24)}${count("passed")}${count("failed")}${count("unsupported")}`;
  });
  return [`${"operator".padEnd(24)}     passed     failed unsupported`, ...rows].join("\n");
}

describe.skipIf(absent)(`ONNX's conformance suites${why}`, () => {
  it(`all ${COUNT} cases pass`, { timeout: 300_000 }, async () => {
    const results: CaseResult[] = [];
    for (const group of GROUPS) {
      for (const name of readdirSync(`${CASES}/${group}`).sort()) {
        results.push(await runCase(engine, `${CASES}/${group}/${name}`));
      }
    }
    console.log(table(results));
    expect(results.filter(({ status }) => status !== "passed")).toEqual([]);
    expect(results.length).toBe(COUNT);
    expect(engine.memory.used).toBe(0);
  });
});

const LIGHT =
  "bvlc_alexnet densenet121 inception_v1 inception_v2 resnet50 shufflenet squeezenet vgg19 zfnet512";

describe.skipIf(absent)(`whole networks with constant weights${why}`, () => {
  it.each(LIGHT.split(" "))("%s", { timeout: 300_000 }, async (name) => {
    const net = await loadOnnx(readFileSync(`${CASES}/light/light_${name}.onnx`), { engine });
    const random = new Random(1);
    const feeds = net.inputs.map((input) => {
      const shape = input.dims.map((size) => (typeof size === "number" ? size : 1));
      return [input.name, { shape, data: new Float32Array(sizeOf(shape)).map(() => random.uniform()) }];
    });
    const [output] = Object.values(net.predict(Object.fromEntries(feeds)));
    net.dispose();
    expect(difference(output, readTensorFile(`${CASES}/light/light_${name}_output_0.pb`))).toBeUndefined();
  });
});

describe.skipIf(absent)(`trained models${why}`, () => {
  const MODELS = `${DATA}/conformance/models`;

  it("mnist_8 passes", async () => {
    expect(await runCase(engine, `${MODELS}/mnist_8`)).toMatchObject({ status: "passed" });
  });

  it.skipIf(!existsSync(`${DATA}/data/mnist`))(
    "cnn_mnist_pytorch knows as many digits as under ONNX Runtime",
    async () => {
      const net = await loadOnnx(readFileSync(`${MODELS}/cnn_mnist_pytorch/model.onnx`), { engine });
      const { pixels, labels } = readFolder(`${DATA}/data/mnist`).test;
      // It was trained on grey in 0…1, as it is.
      const grey = Float32Array.from(pixels.subarray(0, 1000 * 28 * 28), (byte) => byte / 255);
      const given = { shape: [1000, 1, 28, 28], data: grey };
      const { data } = net.predict({ [net.inputNames[0]!]: given })[net.outputNames[0]!]!;
      const found = argmaxRows(data as Float32Array, 10);
      expect(found.filter((digit, i) => digit === labels[i]).length).toBe(986);
    },
  );
});
