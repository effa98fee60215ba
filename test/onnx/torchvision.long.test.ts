/** Whole networks with weights and statistics of PyTorch's, exported by torchvision. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toNchw } from "../../bench/layout.ts";
import { mobileNetV2, resnet18, squeezeNet } from "../../examples/networks/index.ts";
import { load, tensor, type Engine, type Model } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { DATA, skipped } from "../support/data.ts";
import { random } from "../support/random.ts";
import { root } from "../support/tarball.ts";

const PYTHON = "/usr/bin/python3";
const SCRIPT = `${DATA}/tools/export_torchvision.py`;
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
  if (!existsSync(SCRIPT)) return skipped("tools/export_torchvision.py");
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

/** The same way there and back, where torchvision is or not: what these networks are here is read from what they write. */
describe("networks of the examples come back from the files that toOnnx made", () => {
  it.each(Object.entries({ mobileNetV2, resnet18, squeezeNet }))("%s", (_, make) =>
    comeBack(make({ imageSize: 64 })),
  );
});

async function comeBack(net: Model): Promise<void> {
  const [h, w, c] = net.inputShape as [number, number, number];
  net.compile({ engine });
  const images = tensor(random(1).uniform(2 * h * w * c), [2, h, w, c]);
  const expected = net.predict(images).data;
  const imported = await loadOnnx(net.toOnnx(), { engine });
  const turned = tensor(toNchw(images.data, images.shape), [2, c, h, w]);
  const outputs = imported.predict({ [imported.inputNames[0]!]: turned });
  const { data } = outputs[imported.outputNames[0]!]!;
  imported.dispose();
  net.dispose();
  // The same layers with the same weights: the same bits.
  expect(data).toEqual(expected);
}
