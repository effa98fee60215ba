/** im2row run on several files: names, folders and patterns. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { run, type RunOptions } from "../../src/cli/nets/run.ts";
import { describeSample, resultsOf } from "../../src/cli/nets/outputs.ts";
import { expandFiles, samplesOf } from "../../src/cli/nets/samples.ts";
import { tensor } from "../../src/index.ts";
import { at, im2row, useFiles } from "./support/onnxFiles.ts";

useFiles();

beforeAll(() => {
  for (const folder of ["photos", "photos/deep", "broken", "empty"]) mkdirSync(at(folder));
  copyFileSync(at("x.png"), at("photos/b.png"));
  copyFileSync(at("x.jpg"), at("photos/a.JPG"));
  copyFileSync(at("x.png"), at("photos/[c].png"));
  copyFileSync(at("x.npy"), at("photos/deep/d.npy"));
  writeFileSync(at("photos/notes.txt"), "no image");
  copyFileSync(at("x.png"), at("broken/a.png"));
  copyFileSync(at("cut.jpg"), at("broken/b.jpg"));
  writeFileSync(at("broken/c.npy"), "no array");
  copyFileSync(at("x.png"), at("broken/d.png"));
});

describe("files to run on", () => {
  it("are what names, folders and patterns stand for, each once", () => {
    const photos = ["photos/[c].png", "photos/a.JPG", "photos/b.png"].map(at);
    expect(expandFiles([at("photos")])).toEqual(photos);
    expect(expandFiles([at("photos/*.png")])).toEqual([photos[0], photos[2]]);
    expect(expandFiles([at("photos/**/*.{npy,JPG}")])).toEqual([photos[1], at("photos/deep/d.npy")]);
    expect(expandFiles([at("photos/b.png"), at("photos")])).toEqual([photos[2], photos[0], photos[1]]);
    // A file of that name is meant, although it could be a pattern; and a name without a file is left to be refused.
    expect(expandFiles([at("photos/[c].png"), at("none.png")])).toEqual([photos[0], at("none.png")]);
  });

  it("are run one by one, each line with its file", async () => {
    const { code, stdout, stderr } = await im2row("run", at("means.onnx"), at("photos"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replaceAll(`${at("")}/`, "")).toBe(
      "photos/[c].png  y  [1, 3]  0.5 0 0.5\nphotos/a.JPG    y  [1, 3]  1 1 1\nphotos/b.png    y  [1, 3]  0.5 0 0.5\n",
    );
  });

  it("are classified one by one", async () => {
    const args = ["--top", "2", "--labels", at("labels.txt")];
    const { stdout } = await im2row("run", at("means.onnx"), at("photos/*.png"), ...args);
    const lines = stdout.replaceAll(`${at("")}/`, "").split("\n");
    expect(lines.map((line) => line.trimStart())).toEqual([
      "photos/[c].png  0      0.500000  ant",
      "2      0.500000  cat",
      "photos/b.png    0      0.500000  ant",
      "2      0.500000  cat",
      "",
    ]);
    // Classes stand below each other.
    expect(stdout).toMatch(/^(.*) {2}0 {6}0\.500000 {2}ant\n {2,}2 {6}0\.500000 {2}cat\n/);
    const [first, second] = stdout.split("\n");
    expect(first!.length).toBe(second!.length);
  });

  it("are told by output and image where there are several", () => {
    const outputs = { a: tensor([1, 3, 2, 0], [2, 2]), long: tensor([5], [1, 1]) };
    expect(describeSample("x.npy", 7, resultsOf(outputs, 2)).split("\n")).toEqual([
      "x.npy    a     image 0  1       3.00000",
      "                        0       1.00000",
      "x.npy    a     image 1  0       2.00000",
      "                        1       0.00000",
      "x.npy    long  0       5.00000",
    ]);
  });

  it("go to the input that --input leaves over", () => {
    const [x, z] = [{ file: "x.npy" }, { name: "z", file: "z.npy" }];
    const files = (sample: { files: ReadonlyMap<string, { file: string }> }) =>
      Array.from(sample.files, ([name, { file }]) => [name, file]);
    expect(samplesOf([z], ["a.npy", "b.npy"], ["x", "z"]).map(files)).toEqual([
      [
        ["z", "z.npy"],
        ["x", "a.npy"],
      ],
      [
        ["z", "z.npy"],
        ["x", "b.npy"],
      ],
    ]);
    expect(samplesOf([x], [], ["x"]).map(files)).toEqual([[["x", "x.npy"]]]);
    expect(() => samplesOf([], ["a.npy"], ["x", "z"])).toThrow(
      "files: expected --input for all but one of x, z; got a.npy",
    );
    expect(() => samplesOf([x], ["a.npy"], ["x"])).toThrow(
      "files: expected none, as --input has all; got a.npy",
    );
  });

  it("do not keep each other from it when some are broken", async () => {
    const { code, stdout, stderr } = await im2row("run", at("means.onnx"), at("broken"), at("gone.png"));
    expect(stdout.replaceAll(`${at("")}/`, "")).toBe(
      "broken/a.png  y  [1, 3]  0.5 0 0.5\nbroken/d.png  y  [1, 3]  0.5 0 0.5\n",
    );
    expect(stderr.replaceAll(`${at("")}/`, "").split("\n")).toEqual([
      "im2row: broken/b.jpg: expected PNG, JPEG or .npy, got a JPEG image that breaks off after 500 bytes",
      "im2row: broken/c.npy: expected PNG, JPEG or .npy, got text",
      "im2row: gone.png: cannot be read (no such file or directory)",
      "im2row: 3 of 5 files could not be run: broken/b.jpg, broken/c.npy, gone.png",
      "",
    ]);
    expect(code).toBe(2);
  });

  it("are one object for scripts, of those that are broken too", async () => {
    const { code, stdout } = await im2row("run", at("means.onnx"), at("broken/*"), "--top", "1", "--json");
    expect(code).toBe(2);
    const { model, results } = JSON.parse(stdout) as {
      model: string;
      results: { file: string; error?: string }[];
    };
    expect(model).toBe(at("means.onnx"));
    expect(results.map(({ file }) => file)).toEqual(
      ["a.png", "b.jpg", "c.npy", "d.png"].map((name) => at(`broken/${name}`)),
    );
    expect(results[0]).toEqual({
      file: at("broken/a.png"),
      outputs: { y: { shape: [1, 3], top: [[{ class: 0, score: 0.5 }]] } },
    });
    expect(results[1]!.error).toMatch(/b\.jpg: expected PNG, JPEG or \.npy/);
  });

  it.each<[string, string, RunOptions, RegExp]>([
    [
      "a folder without any",
      "empty",
      {},
      /empty: expected a folder with \.png, \.jpg or \.npy files, got one without$/m,
    ],
    [
      "a pattern that fits none",
      "photos/*.gif",
      {},
      /\*\.gif: expected a pattern of files, got one that fits none$/m,
    ],
    [
      "an output for several",
      "photos",
      { output: [{ file: "y.npy" }] },
      /--output: expected one file to run on, got 3: --json has all outputs$/m,
    ],
    [
      "wrong options once, not for each file",
      "photos",
      { mean: [1, 2] },
      /^--mean: expected 1 or 3 numbers, got 2$/m,
    ],
  ])("refuses %s", async (_, files, options, message) => {
    await expect(run(at("means.onnx"), [at(files)], options)).rejects.toThrow(message);
  });
});
