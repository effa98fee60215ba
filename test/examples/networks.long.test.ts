/** The networks of examples/networks: their sizes as published, and that they train. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load, losses, optimizers, type Model } from "im2row";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cifarVgg,
  lenet5,
  mobileNetV2,
  networks,
  resnet18,
  squeezeNet,
} from "../../examples/networks/index.ts";
import { figures, multiplyAdds, trainableWeights } from "../../examples/networks/summary.ts";
import { noise } from "../support/model.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let engine: Awaited<ReturnType<typeof load>>;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

/** Weights as torchvision counts them; multiply-adds in units of 10⁹ as its documentation gives them, to two digits. */
const PUBLISHED = [
  ["resnet18", 11_689_512, 1.81],
  ["resnet50", 25_557_032, 4.09],
  ["mobileNetV2", 3_504_872, 0.3],
  ["squeezeNet", 1_235_496, 0.35],
] as const;

describe.each(PUBLISHED)("%s", (name, weights, billions) => {
  it(`has ${weights} weights and ${billions} G multiply-adds`, () => {
    const model = networks[name]();
    expect(trainableWeights(model)).toBe(weights);
    expect(multiplyAdds(model) / 1e9).toBeCloseTo(billions, 2);
    expect([model.inputShape, model.outputShape]).toEqual([[224, 224, 3], [1000]]);
  });
});

it("the two small ones have the weights that their layers add up to", () => {
  const dense = (inputs: number, units: number): number => (inputs + 1) * units;
  const conv = (size: number, channels: number, filters: number): number =>
    dense(size * size * channels, filters);
  expect(trainableWeights(lenet5())).toBe(
    conv(5, 1, 6) + conv(5, 6, 16) + dense(400, 120) + dense(120, 84) + dense(84, 10),
  );
  expect(trainableWeights(cifarVgg())).toBe(
    conv(3, 3, 32) + conv(3, 32, 32) + conv(3, 32, 64) + conv(3, 64, 64) + dense(4096, 256) + dense(256, 10),
  );
});

/** Small enough for some steps each. */
const SMALL: [name: string, learningRate: number, steps: number, build: () => Model][] = [
  ["lenet5", 0.001, 20, () => lenet5({ classes: 3, seed: 1 })],
  ["cifarVgg", 0.001, 20, () => cifarVgg({ classes: 3, seed: 1 })],
  ["resnet18", 0.001, 10, () => resnet18({ classes: 3, imageSize: 33, seed: 1 })],
  ["mobileNetV2", 0.001, 30, () => mobileNetV2({ classes: 3, imageSize: 32, seed: 1 })],
  ["squeezeNet", 0.0003, 50, () => squeezeNet({ classes: 3, imageSize: 48, seed: 1 })],
];

it.each(SMALL)(
  "%s takes other numbers of classes, and learns three images by heart",
  (_, learningRate, steps, build) => {
    const model = build();
    model.compile({
      engine,
      optimizer: optimizers.adam({ learningRate }),
      loss: losses.softmaxCrossEntropy(),
    });
    expect(model.outputShape).toEqual([3]);
    const images = noise(1, 3, ...model.inputShape);
    const first = model.trainOnBatch(images, [0, 1, 2]);
    for (let step = 2; step < steps; step++) model.trainOnBatch(images, [0, 1, 2]);
    expect(model.trainOnBatch(images, [0, 1, 2])).toBeLessThan(first / 2);
    model.dispose();
  },
);

it("squeezeNet's poolings reach the last pixel of images of any size, as torchvision's do", () => {
  // ⌈(59 − 3) / 2⌉ + 1 = 29, then ⌈(29 − 3) / 2⌉ + 1 = 14, and of 14 rows ⌈(14 − 3) / 2⌉ + 1 = 7.
  const rows = squeezeNet({ imageSize: 120 }).summary().split("\n");
  const sides = rows.filter((row) => row.startsWith("maxPooling2d")).map((row) => row.split(/ {2,}/)[2]);
  expect(sides).toEqual(["29×29×64", "14×14×128", "7×7×256"]);
});

it("a seed draws the weights", () => {
  const kernel = (seed: number): Float32Array => lenet5({ seed }).weights.get("dense.kernel")!.data;
  expect(kernel(1)).toEqual(kernel(1));
  expect(kernel(1)).not.toEqual(kernel(2));
});

describe("the pages", () => {
  it("README.md gives the figures of each network", () => {
    const page = readFileSync(`${root}examples/networks/README.md`, "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)`(.*)\|$/gm)];
    const given = rows.map(([, name, cells]) => [
      name,
      ...cells!
        .split("|")
        .slice(2)
        .map((cell) => cell.trim()),
    ]);
    expect(given).toEqual(Object.entries(networks).map(([name, build]) => [name, ...figures(build())]));
  });

  const run = (...names: string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "examples/networks/summary.ts", ...names], {
      cwd: root,
      encoding: "utf8",
    });

  it("summary.ts prints one, and names them all when it does not know it", () => {
    expect(run("lenet5").stdout).toBe(`${lenet5().summary()}\n`);
    const { stderr, status } = run("alexnet");
    expect(stderr).toContain(
      "expected one of lenet5, cifarVgg, resnet18, resnet50, mobileNetV2, squeezeNet; got alexnet",
    );
    expect(status).toBe(1);
  });

  it("summary.ts prints a line for each", () => {
    const out = execFileSync(process.execPath, ["--import", "tsx", "examples/networks/summary.ts"], {
      cwd: root,
      encoding: "utf8",
    });
    expect(out.match(/weights .* multiply-adds/g)).toHaveLength(Object.keys(networks).length);
  });
});
