/** im2row run, as a process of its own. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readNpy } from "../../src/formats/npy.ts";
import { tensor } from "../../src/index.ts";
import { at, im2row, refused, useFiles } from "./support/onnxFiles.ts";

useFiles();

describe("im2row run", () => {
  it("takes from the file how images become its input, unless it is told otherwise", async () => {
    const outputs = async (...rest: string[]): Promise<unknown> => {
      const run = await im2row("run", at("named.onnx"), "--input", at("x.png"), "--json", ...rest);
      return JSON.parse(run.stdout);
    };
    const data = (...y: number[]) => ({ results: [{ outputs: { y: { data: y } } }] });
    expect(await outputs()).toMatchObject(data(0, 0, 0.125));
    expect(await outputs("--mean", "0")).toMatchObject(data(1, 0, 0.25));
    const { stdout, stderr } = await im2row("run", at("named.onnx"), "--input", at("x.npy"));
    expect({ stdout, stderr }).toEqual({ stdout: "y  [1, 3]  2.5 6.5 3\n", stderr: "" });
  });

  it.each<[string, string[], string]>([
    // Stretched, all pixels count: a half as wide, of three with the weights 3, 3 and 1. Cropped, the green ones count.
    ["unnamed.onnx", [], "0.2137255 0.572549 0.2137255"],
    ["cropped.onnx", [], "0 1 0"],
    // The picture is one row of two pixels, the second and the last, and the rest is blue.
    ["boxed.onnx", [], "0 0.25 0.75"],
    ["middle.onnx", [], "0 1 0"],
    ["middle.onnx", ["--size", "2"], "0.2137255 0.572549 0.2137255"],
  ])("fits a picture of other proportions as the file says: %s %s", async (net, rest, means) => {
    const { stdout, stderr } = await im2row("run", at(net), "--input", at("wide.png"), ...rest);
    expect({ stdout, stderr }).toEqual({ stdout: `y  [1, 3]  ${means}\n`, stderr: "" });
  });

  it("takes the names of the classes from the file, unless it is told others", async () => {
    const names = async (...rest: string[]): Promise<string[]> => {
      const { stdout } = await im2row("run", at("named.onnx"), "--input", at("x.npy"), "--top", "2", ...rest);
      return stdout.split("\n").slice(3, 5);
    };
    expect(await names()).toEqual(["    1  6.50000  dos", "    2  3.00000  tres"]);
    expect(await names("--labels", at("labels.txt"))).toEqual(["    1  6.50000  bee", "    2  3.00000  cat"]);
  });

  it("prints outputs, and writes them", async () => {
    const args = ["run", at("means.onnx"), "--input", at("x.npy"), "--output", at("y.npy")];
    expect(await im2row(...args)).toEqual({ code: 0, stdout: "y  [1, 3]  2.5 6.5 3\n", stderr: "" });
    expect(readNpy(readFileSync(at("y.npy")), "y")).toEqual(tensor([2.5, 6.5, 3], [1, 3]));
  });

  it("names the classes with the largest scores", async () => {
    const args = [
      "run",
      at("means.onnx"),
      "--input",
      `x=${at("x.npy")}`,
      "--top",
      "2",
      "--labels",
      at("labels.txt"),
    ];
    expect((await im2row(...args)).stdout.split("\n")).toEqual([
      "y, image 0",
      "class    score  label",
      "─────────────────────",
      "    1  6.50000  bee",
      "    2  3.00000  cat",
      "─────────────────────",
      "",
    ]);
  });

  it.each<[string, string[], string]>([
    ["a PNG image", ["x.png"], "y  [1, 3]  0.5 0 0.5"],
    ["one that is normalised", ["x.png", "--mean", "0.5,0,0.25", "--std", "0.5,1,2"], "y  [1, 3]  0 0 0.125"],
    ["pixels from 0 to 255", ["x.png", "--scale", "1"], "y  [1, 3]  127.5 0 127.5"],
    ["a JPEG image, made smaller", ["x.jpg"], "y  [1, 3]  1 1 1"],
  ])("takes %s", async (_, [file, ...rest], line) => {
    const { stdout, stderr } = await im2row("run", at("means.onnx"), "--input", at(file!), ...rest);
    expect({ stdout, stderr }).toEqual({ stdout: `${line}\n`, stderr: "" });
  });

  it("ranks what is no number last, and tells classes of [n, c, 1, 1]", async () => {
    const args = [
      "run",
      at("roots.onnx"),
      "--input",
      at("x.npy"),
      "--top",
      "4",
      "--labels",
      at("labels.txt"),
    ];
    const { stdout, stderr } = await im2row(...args);
    expect(stderr).toBe("");
    // Means of 2.5, 6.5 and 3, less 3: the roots of −0.5, 3.5 and 0.
    expect(stdout.split("\n").slice(3, 6)).toEqual([
      "    1  1.87083  bee",
      "    2  0.00000  cat",
      "    0      NaN  ant",
    ]);
  });

  it("writes JSON, by the name of the file", async () => {
    const args = ["run", at("roots.onnx"), "--input", at("x.npy"), "--output", at("y.json")];
    expect((await im2row(...args)).code).toBe(0);
    const text = readFileSync(at("y.json"), "utf8");
    expect(JSON.parse(text)).toEqual({
      name: "y",
      shape: [1, 3, 1, 1],
      data: ["NaN", Math.fround(Math.sqrt(3.5)), 0],
    });
    const integers = ["run", at("largest.onnx"), "--input", at("x.npy"), "--output", at("y.json")];
    expect((await im2row(...integers)).stdout).toBe("y  [1, 1]  1\n");
    expect(JSON.parse(readFileSync(at("y.json"), "utf8"))).toEqual({ name: "y", shape: [1, 1], data: [1] });
  });

  it("spells out what a file has for the terminal", async () => {
    const { stdout } = await im2row("run", at("escape.onnx"), "--input", at("x.npy"));
    expect(stdout).toBe("y\\u001b[2J\\u000afake\\u202e  [1, 3]  2.5 6.5 3\n");
    const inspected = (await im2row("inspect", at("escape.onnx"))).stdout;
    // oxlint-disable-next-line no-control-regex
    expect(inspected).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(inspected).not.toMatch(/^fake/m);
    const long = (await im2row("inspect", at("long.onnx"))).stdout;
    expect(Math.max(...long.split("\n").map(({ length }) => length))).toBeLessThan(300);
  });

  it("takes an image as it is, or of another size, where the net leaves that open", async () => {
    // The bytes of Pillow's resize: half of 255 is 128, and 5 rows of 255, 204 … have a mean of 127.67.
    for (const [size, mean] of [
      [[], "0.5"],
      [["--size", "1"], "0.5019608"],
      [["--size", "5x3"], "0.5006536"],
    ] as const) {
      const { stdout } = await im2row("run", at("open.onnx"), "--input", at("x.png"), ...size);
      expect(stdout).toBe(`y  [1, 3]  ${mean} 0 ${mean}\n`);
    }
  });

  it("makes grey of colours", async () => {
    // Half red, half blue: bytes of 76 and 29 by Pillow's convert("L"), of which one pixel is made, 53.
    const { stdout } = await im2row("run", at("grey.onnx"), "--input", at("x.png"));
    expect(stdout).toBe("y  [1, 1]  0.2078431\n");
  });

  it.each<[string, () => string[], RegExp]>([
    ["no such model", () => [at("none.onnx")], /none\.onnx: cannot be read \(no such file or directory\)$/m],
    [
      "a model that is none",
      () => [at("x.png")],
      /x\.png: expected an ONNX or \.safetensors file, got a PNG image$/m,
    ],
    [
      "operators that do not exist",
      () => [at("unknown.onnx")],
      /got 2 nodes that are not: a \(Fly\): .*; y \(Swim\): /,
    ],
    ["no input", () => [at("means.onnx")], /^im2row: --input: expected a file for x, got none$/m],
    [
      "two files for an input",
      () => [at("means.onnx"), "--input", at("x.npy"), "--input", `x=${at("x.png")}`],
      /--input: expected one for x, got .*x\.npy and .*x\.png$/m,
    ],
    ...["--size 2", "--scale 1", "--mean 0", "--std 1"].map((option): [string, () => string[], RegExp] => [
      `${option} beside an array`,
      () => [at("means.onnx"), "--input", at("x.npy"), ...option.split(" ")],
      new RegExp(`${option.split(" ")[0]}: expected an image among the inputs, got \\.npy files alone$`, "m"),
    ]),
    [
      "labels without --top",
      () => [at("means.onnx"), "--input", at("x.npy"), "--labels", at("labels.txt")],
      /--labels: expected --top besides, got none$/m,
    ],
    [
      "a division by zero",
      () => [at("means.onnx"), "--input", at("x.png"), "--std", "1,0,1"],
      /Expected positive numbers, got "1,0,1"/,
    ],
    [
      "an input without a name",
      () => [at("sum.onnx"), "--input", at("x.npy")],
      /expected <name>=<file> with one of x, z; got .*x\.npy without a name$/m,
    ],
    [
      "another input",
      () => [at("means.onnx"), "--input", `q=${at("x.npy")}`],
      /--input: expected <name>=<file> with one of x; got q$/m,
    ],
    [
      "another output",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", "q=y.npy"],
      /--output: expected .* one of y; got q$/m,
    ],
    [
      "another shape",
      () => [at("grey.onnx"), "--input", at("x.npy")],
      /predict: x: expected shape n×1×1×1, got 1×3×2×2$/m,
    ],
    [
      "a file of another kind",
      () => [at("means.onnx"), "--input", at("labels.txt")],
      /labels\.txt: expected PNG, JPEG or \.npy, got text$/m,
    ],
    [
      "a GIF image",
      () => [at("means.onnx"), "--input", at("x.gif")],
      /x\.gif: expected PNG, JPEG or \.npy, got a GIF image$/m,
    ],
    [
      "a JPEG image that breaks off",
      () => [at("means.onnx"), "--input", at("cut.jpg")],
      /cut\.jpg: expected PNG, JPEG or \.npy, got a JPEG image that breaks off after 500 bytes$/m,
    ],
    [
      "more pixels than can be",
      () => [at("open.onnx"), "--input", at("x.png"), "--size", "99999"],
      /x\.png: expected an image of at most 67108864 numbers, got 29999400003 of \[1, 3, 99999, 99999\]$/m,
    ],
    [
      "a picture of which more is to be cut out than there is",
      () => [at("larger.onnx"), "--input", at("wide.png")],
      /wide\.png: centerCrop: expected an image of at least 2×2 pixels, got 1×2$/m,
    ],
    [
      "a file that makes pictures of a few pixels larger than can be",
      () => [at("endless.onnx"), "--input", at("wide.png")],
      /wide\.png: expected an image of at most 67108864 numbers, got 2400000000 of \[1, 3, 20000, 40000\]$/m,
    ],
    [
      "labels of other classes",
      () => [at("means.onnx"), "--input", at("x.npy"), "--top", "1", "--labels", at("two.txt")],
      /--labels: expected a label for each class, 3 for y, got 2$/m,
    ],
    [
      "names of other classes in the file",
      () => [at("misnamed.onnx"), "--input", at("x.npy"), "--top", "1"],
      /misnamed\.onnx: class names: expected a label for each class, 3 for y, got 2$/m,
    ],
    [
      "means of other channels in the file",
      () => [at("misnamed.onnx"), "--input", at("x.png")],
      /preprocessing of the net: mean: expected 1 or 3 numbers, got 2$/m,
    ],
    [
      "labels that are none",
      () => [at("means.onnx"), "--input", at("x.npy"), "--top", "1", "--labels", at("x.png")],
      /--labels .*x\.png: expected lines of text in UTF-8, got a PNG image$/m,
    ],
    [
      "an output of another kind",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", "y.txt"],
      /--output y\.txt: expected a name that ends in \.npy or \.json, got \.txt$/m,
    ],
    [
      "an output where nothing can be written",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", at("none/y.npy")],
      /--output .*y\.npy: cannot be written \(no such file or directory\)$/m,
    ],
    [
      "a file without a name",
      () => [at("means.onnx"), "--input", "x="],
      /^im2row: expected the name of a file, got an empty one$/m,
    ],
    [
      "means of other channels",
      () => [at("means.onnx"), "--input", at("x.png"), "--mean", "1,2"],
      /--mean: expected 1 or 3 numbers, got 2$/m,
    ],
    [
      "means that are no numbers",
      () => [at("means.onnx"), "--mean", "a"],
      /Expected numbers, as 0\.5 or 0\.485,0\.456,0\.406, got "a"/,
    ],
    [
      "a size that is none",
      () => [at("means.onnx"), "--size", "0x4"],
      /Expected a size, as 224 or 224x320, got "0x4"/,
    ],
  ])("refuses %s", (_, args, message) => refused(["run", ...args()], message));
});
