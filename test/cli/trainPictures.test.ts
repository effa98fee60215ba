/** `im2row train photos/`: folders of generated pictures. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decode } from "fast-png";
import { layers, load, loadModel, losses, optimizers, sequential, type Tensor } from "im2row";
import { fromFolder } from "im2row/data";
import { decodeImage, preprocess, resize } from "im2row/images";
import { weightBits } from "../support/model.ts";
import { runOnnx } from "../support/onnxruntime.ts";
import { cellsOf, faultsOf, imagesOf, sectionOf, textOf } from "./support/html.ts";
import { im2row, refused } from "./support/onnxFiles.ts";
import { writeColours } from "./support/pictureFolders.ts";

const SIZE = 16;

let root: string;
let photos: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-pictures-"));
  photos = join(root, "photos");
  writeColours(photos, 14);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const train = (...args: string[]) => im2row("train", photos, "--size", String(SIZE), ...args);

describe("im2row train photos/", () => {
  it("learns classes from folders, and writes files that run and onnxruntime classify with", async () => {
    const out = join(root, "colours");
    const report = join(root, "report.html");
    const { code, stdout, stderr } = await train("--epochs", "12", "--out", out, "--report", report);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`data      ${photos}: 33 images to train on, 9 held out, 16×16\n`);
    expect(stdout).toMatch(/\nepoch 12\/12 .* held out 100\.00 % .* [\d,.]+ images\/s\n/);
    expect(stdout).toMatch(
      /\n 0 blue +\d+ +· +· +100\.00 %\n 1 green +· +\d+ +· +100\.00 %\n 2 red +· +· +\d/,
    );
    expect(stdout).toContain(`\nreloaded  all 9 predictions are the same, bit for bit\n`);
    expect(stdout).toMatch(/\ntest accuracy 100\.00 % \(9 of 9\)\n$/);

    const red = join(photos, "red", "001.png");
    const engine = await load();
    const model = loadModel(readFileSync(`${out}.safetensors`));
    model.compile({ engine });
    expect(model.metadata).toEqual({
      classNames: ["blue", "green", "red"],
      preprocessing: { size: [SIZE, SIZE], fit: "crop", scale: 1 },
    });
    const image = preprocess(engine, decodeImage(readFileSync(red)), model.metadata.preprocessing);
    const scores = model.predict(image).data;
    expect(scores.indexOf(Math.max(...scores))).toBe(2);
    // The model as it is saved takes what others take: floats, in ONNX with the channels first.
    const data = new Float32Array(3 * SIZE * SIZE);
    image.data.forEach((value, i) => {
      data[(i % 3) * SIZE * SIZE + Math.floor(i / 3)] = value;
    });
    const input = { shape: [1, 3, SIZE, SIZE], data };
    const outputs = await runOnnx(readFileSync(`${out}.onnx`), { input });
    const most = Math.max(...scores.map(Math.abs));
    (outputs["dense"] as Tensor).data.forEach((value, i) => {
      expect(Math.abs(value - scores[i]!)).toBeLessThan(1e-5 * most);
    });
    engine.dispose();

    for (const file of [`${out}.safetensors`, `${out}.onnx`]) {
      const run = await im2row("run", file, red);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      const [, first] = run.stdout.split(/─\n/);
      expect(first).toMatch(/^ +2 +\S+ +red\n/);
    }

    const html = readFileSync(report, "utf8");
    expect(faultsOf(html)).toEqual([]);
    expect(cellsOf(sectionOf(html, "Confusion")).map(([name]) => name)).toEqual(["blue", "green", "red"]);
    expect(textOf(sectionOf(html, "Run"))).toContain(`im2row train ${photos} --size 16x16`);
  });

  it("trains as the public API does, on any number of threads", async () => {
    const runs = ["1", "2"].map(async (threads) => {
      const out = join(root, `threads-${threads}`);
      const args = ["--epochs", "2", "--batch-size", "8", "--seed", "5", "--threads", threads];
      await train(...args, "--validation-split", "0.3", "--out", out);
      return loadModel(readFileSync(`${out}.safetensors`));
    });
    const [one, two] = await Promise.all(runs);

    const engine = await load();
    const samples = (await fromFolder(photos)).map((sample) => ({
      ...sample,
      image: resize(engine, sample.image as Tensor<Uint8Array>, { size: SIZE, fit: "crop" }),
    }));
    const [part] = samples.split(0.7, 5);
    const block = (filters: number) => [
      layers.conv2d({ filters, kernelSize: 3, padding: "same", useBias: false }),
      layers.batchNormalization({ momentum: 0.9 }),
      layers.activation({ activation: "relu" }),
    ];
    const model = sequential({
      inputShape: [SIZE, SIZE, 3],
      inputDtype: "uint8",
      layers: [
        layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
        layers.randomFlip({ mode: "horizontal" }),
        layers.randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 }),
        ...block(16),
        layers.maxPooling2d({ poolSize: 2 }),
        ...block(32),
        layers.globalAveragePooling2d(),
        layers.dense({ units: 3 }),
      ],
      seed: 5,
    });
    const steps = 2 * Math.ceil(29 / 8);
    const learningRate = (step: number): number => 0.001 * (1 - step / steps);
    model.compile({
      engine,
      loss: losses.softmaxCrossEntropy(),
      optimizer: optimizers.adam({ learningRate }),
    });
    await model.fit(part.shuffle(29, 5).batch(8), { epochs: 2 });
    const bits = weightBits(model);
    engine.dispose();
    expect(weightBits(one!)).toEqual(bits);
    expect(weightBits(two!)).toEqual(bits);
  });

  it("goes on from a checkpoint within an epoch to the same file", async () => {
    const [whole, resumed, checkpoints] = ["whole", "resumed", "checkpoints"].map((name) => join(root, name));
    const args = ["--epochs", "2", "--batch-size", "12", "--quiet"];
    await train(...args, "--out", whole!);
    const kept = [...args, "--checkpoint", checkpoints!, "--checkpoint-every", "1", "--out", resumed!];
    await train(...kept);
    // Three steps an epoch, of which the fourth is the last that is left.
    for (const step of [5, 6]) rmSync(join(checkpoints!, `checkpoint-0000000${step}.safetensors`));
    rmSync(`${resumed}.safetensors`);
    expect(await train(...kept, "--resume")).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(`${resumed}.safetensors`)).toEqual(readFileSync(`${whole}.safetensors`));
  });

  it("shows mistakes in colours with the files that they are from", async () => {
    const report = join(root, "mistakes.html");
    const args = ["--epochs", "1", "--learning-rate", "1e-9", "--no-augment", "--report", report];
    const { stdout } = await train(...args, "--out", join(root, "m"));
    expect(stdout).toContain("augmentation: none");
    const shown = imagesOf(sectionOf(readFileSync(report, "utf8"), "Worst mistakes"));
    expect(shown.length).toBeGreaterThan(0);
    const engine = await load();
    for (const { alt, png } of shown) {
      const file = alt.slice(0, alt.indexOf(": "));
      const own = resize(engine, decodeImage(readFileSync(file)), { size: SIZE, fit: "crop" });
      expect(decode(png)).toMatchObject({ width: SIZE, height: SIZE, channels: 3, data: own.data });
    }
    engine.dispose();
  });

  it("names a picture that cannot be decoded", async () => {
    const folder = join(root, "broken");
    writeColours(folder, 4);
    writeFileSync(
      join(folder, "red", "cut.png"),
      readFileSync(join(folder, "red", "001.png")).subarray(0, 200),
    );
    const { code, stderr } = await im2row("train", folder, "--size", "16", "--out", join(root, "none"));
    expect(stderr).toMatch(
      /^im2row: .*\/broken\/red\/cut\.png: expected a PNG or JPEG image, got a PNG image .*\n$/,
    );
    expect(code).toBe(2);
  });

  it.each<[string, () => string[], string | RegExp]>([
    [
      "no such folder",
      () => ["nowhere"],
      "im2row: nowhere: expected a folder of pictures, got none (no such file",
    ],
    [
      "a folder without classes",
      () => [join(photos, "red")],
      /red: expected a folder for each class, got none/,
    ],
    [
      "one class",
      () => [join(root, "single")],
      "expected a folder for each of two or more classes, got only alone",
    ],
    ["a file", () => [join(photos, "red", "001.png")], "001.png: expected a folder, got a file"],
    [
      "digits beside",
      () => [photos, "--data", root],
      "--data: expected no folder of digits beside one of pictures",
    ],
    ["a size for digits", () => ["--size", "32"], "--size: expected a folder of pictures, got none"],
    ["a tiny size", () => [photos, "--size", "7x20"], "--size: expected 8×8 pixels or more, got 7×20"],
    [
      "a share of nothing",
      () => [photos, "--validation-split", "0.99"],
      "leaves pictures on either side, got 0 of 42",
    ],
    ["no share", () => [photos, "--validation-split", "1"], "Expected a number between 0 and 1"],
    ["no file", () => [photos, "--out", ""], "--out: expected a file, got nothing"],
    [
      "one file twice",
      () => [photos, "--out", join(root, "x"), "--report", join(root, "x.onnx")],
      "than the model's",
    ],
  ])("refuses %s", async (_, args, message) => {
    mkdirSync(join(root, "single", "only"), { recursive: true });
    writeFileSync(join(root, "single", "only", "x.png"), "");
    await refused(["train", ...args()], message);
  });
});
