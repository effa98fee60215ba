/** Whole networks with weights and statistics of PyTorch's, exported by torchvision. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../../src/index.ts";
import { loadOnnx } from "../../../src/onnx.ts";
import { root } from "../../support/tarball.ts";
import { SHARED } from "./cases.ts";

const PYTHON = "/usr/bin/python3";
const SCRIPT = `${SHARED}/tools/export_torchvision.py`;
/** Files are kept from run to run: they take a minute and 265 MB. */
const CACHE = `${root}/build/torchvision`;
const NETWORKS = [
  "squeezenet1_1",
  "mobilenet_v2",
  "mobilenet_v3_small",
  "shufflenet_v2_x1_0",
  "efficientnet_b0",
  "resnet18",
  "resnet50",
  "densenet121",
  "googlenet",
];

/** Why there is nothing to export with, for the title of what is skipped; `""` when there is. */
function absence(): string {
  if (!existsSync(SCRIPT)) return ` (skipped: there is no ${SCRIPT})`;
  const { status } = spawnSync(PYTHON, ["-c", "import torch, torchvision"], { stdio: "ignore" });
  return status === 0 ? "" : ` (skipped: ${PYTHON} finds no torch and torchvision)`;
}

/** Exports a network, its input and its output, unless that was done before. */
function exported(name: string): string {
  if (!existsSync(`${CACHE}/${name}.output.f32`)) {
    // Moved when it is whole, so that a run that was cut off leaves nothing by that name.
    const folder = `${CACHE}/unfinished`;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    execFileSync(PYTHON, [SCRIPT, folder, name], { stdio: "ignore" });
    for (const end of ["onnx", "input.f32", "output.f32"]) {
      renameSync(`${folder}/${name}.${end}`, `${CACHE}/${name}.${end}`);
    }
  }
  return `${CACHE}/${name}`;
}

function floats(file: string): Float32Array {
  return new Float32Array(Uint8Array.from(readFileSync(file)).buffer);
}

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const why = absence();

describe.skipIf(why !== "")(`torchvision's networks${why}`, () => {
  it.each(NETWORKS)("%s predicts as in PyTorch, and could train", { timeout: 300_000 }, async (name) => {
    const path = exported(name);
    const net = await loadOnnx(readFileSync(`${path}.onnx`), { engine });
    const [given, wanted] = [floats(`${path}.input.f32`), floats(`${path}.output.f32`)];
    const { y } = net.predict({ x: { shape: [1, 3, 224, 224], data: given } });
    expect(net.notTrainable).toBeUndefined();
    net.dispose();
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const wrong = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - Number(y!.data[i]))), 0);
    expect(y!.data.length).toBe(wanted.length);
    expect(wrong / largest).toBeLessThan(1e-4);
  });
});
