/** The package in other people's tests and CommonJS programs, as docs/bundlers.md has it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedProject, pack, root } from "../support/tarball.ts";

const place = mkdtempSync(join(tmpdir(), "im2row-pack-"));
let project: ReturnType<typeof installedProject>;
beforeAll(() => {
  project = installedProject(pack(place).tarball);
});
afterAll(() => {
  project.remove();
  rmSync(place, { recursive: true, force: true });
});

/** A test of some net, in the globals that Jest and vitest have in common. */
const TEST = `
  import { layers, load, loadModel, losses, optimizers, sequential, tensor } from "im2row";
  test("trains, saves and opens", async () => {
    const engine = await load();
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })], seed: 1 });
    model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.softmaxCrossEntropy() });
    expect(model.trainOnBatch(tensor([1, 2], [1, 2]), [1])).toBeGreaterThan(0);
    const saved = loadModel(model.toSafetensors());
    saved.compile({ engine });
    const x = tensor([3, 4], [1, 2]);
    expect([...saved.predict(x).data]).toEqual([...model.predict(x).data]);
    engine.dispose();
  });`;

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { output: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: project.folder,
    encoding: "utf8",
    // Without what the runner of this very test has set for its own.
    env: { PATH: process.env["PATH"], HOME: place, NO_COLOR: "1", ...env },
  });
  return { output: stdout + stderr, status };
}

const installed = (path: string): string => join(root, "test/node_modules", path);

describe("Jest with ES modules", () => {
  const jest = (environment: string, ...args: string[]) =>
    run(["--experimental-vm-modules", installed("jest/bin/jest.js"), "--env", environment, ...args]);

  beforeAll(() => {
    writeFileSync(join(project.folder, "net.test.js"), TEST);
    writeFileSync(join(project.folder, "jest.config.json"), '{ "transform": {} }');
  });

  it("runs in its environment of Node", () => {
    const { output, status } = jest("node");
    expect(output).toContain("1 passed");
    expect(status).toBe(0);
  });
});

describe("vitest", () => {
  beforeAll(() => writeFileSync(join(project.folder, "net.test.js"), TEST));

  it.each(["node", "jsdom", "happy-dom"])("runs in the environment %s", (environment) => {
    const vitest = installed("vitest4/vitest.mjs");
    const { output, status } = run([vitest, "run", "--globals", "--environment", environment]);
    expect(output).toMatch(/Tests +1 passed/);
    expect(status).toBe(0);
  });
});

describe("CommonJS", () => {
  it.each([
    "im2row",
    "im2row/inference",
    "im2row/onnx",
    "im2row/onnx/core",
    "im2row/kernels",
    "im2row/pytorch",
    "im2row/relaxed",
  ])("requires %s", (entry) => {
    const code = `console.log(Object.keys(require("${entry}")).length > 0)`;
    expect(run(["--input-type=commonjs", "--eval", code])).toEqual({ output: "true\n", status: 0 });
  });
});
