/** What scripts rely on: one JSON object, exit codes, nothing said besides. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { jsonPieces } from "../../src/cli/json.ts";
import { at, im2row, useFiles } from "./support/onnxFiles.ts";

useFiles();

/** The object that a command prints, and nothing else, on one line. */
async function object(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await im2row(...args, "--json");
  expect({ code, stderr, lines: stdout.split("\n").length }).toEqual({ code: 0, stderr: "", lines: 2 });
  return JSON.parse(stdout);
}

describe("--json", () => {
  it("of run has all outputs, NaN and infinities by their names", async () => {
    expect(await object("run", at("roots.onnx"), at("x.npy"))).toEqual({
      model: at("roots.onnx"),
      results: [
        {
          file: at("x.npy"),
          outputs: { y: { shape: [1, 3, 1, 1], data: ["NaN", Math.fround(Math.sqrt(3.5)), 0] } },
        },
      ],
    });
  });

  it("of inspect has nodes, values, memory and what the file tells", async () => {
    expect(await object("inspect", at("named.safetensors"))).toMatchObject({
      format: "safetensors",
      inputs: [{ name: "input", type: "float32", shape: ["n", 2, 2, 3] }],
      outputs: ["y"],
      metadata: { classNames: ["uno", "dos", "tres"] },
      batched: true,
      parameters: 0,
      flops: 0,
      nodes: [{ name: "y", type: "globalAveragePooling2d", shape: [1, 3], flops: 0 }],
      values: [
        { name: "input", type: "float32", shape: [1, 2, 2, 3] },
        { name: "y", type: "float32", shape: [1, 3] },
      ],
    });
  });

  it("of inspect --value has one value", async () => {
    expect(await object("inspect", at("sum.onnx"), "--value", "/relu")).toEqual({
      model: at("sum.onnx"),
      values: [{ name: "/relu", type: "float32", shape: [1, 4, 4, 4] }],
    });
  });

  it("of export has the new file", async () => {
    const file = at("exported.onnx");
    const { bytes, ...rest } = (await object("export", at("named.safetensors"), file)) as { bytes: number };
    expect(bytes).toBe(readFileSync(file).length);
    expect(rest).toEqual({
      model: at("named.safetensors"),
      from: "safetensors",
      file,
      format: "ONNX",
      weights: "float32",
    });
  });

  it("spells out what steers a terminal, as JSON does", () => {
    const value = {
      "\u202e\u{e0001}": ["\u001b[2J\u0085", -0, 1e21, true, null, undefined],
      left: undefined,
    };
    const text = [...jsonPieces(value)].join("");
    expect(text).toBe(String.raw`{"\u202e\udb40\udc01":["\u001b[2J\u0085",-0.0,1e+21,true,null,null]}`);
    expect(JSON.parse(text)).toEqual({ "\u202e\u{e0001}": ["\u001b[2J\u0085", -0, 1e21, true, null, null] });
  });

  it("has numbers of tensors in full, however many", () => {
    const data = Int32Array.from({ length: 150_000 }, (_, i) => i);
    expect(JSON.parse([...jsonPieces({ data, none: new Float32Array(0) })].join(""))).toEqual({
      data: [...data],
      none: [],
    });
    expect([...jsonPieces(BigInt64Array.of(-(2n ** 63n)))].join("")).toBe("[-9223372036854775808]");
  });
});

describe("other options of all commands", () => {
  it("--threads computes the same on several", async () => {
    const { stdout, stderr } = await im2row("bench", at("sum.onnx"), "--threads", "2", "--runs", "1");
    expect(stderr).toBe("");
    expect(stdout).toContain(", batch 1, 2 threads, median of 1 runs\n");
    const args = ["run", at("named.safetensors"), at("x.png")];
    const both = await Promise.all([im2row(...args, "--threads", "auto"), im2row(...args)]);
    expect(both[0]).toEqual(both[1]);
  });

  it.each(["0", "65", "all", "1.5"])("--threads refuses %s", async (threads) => {
    const { code, stderr } = await im2row("run", "model", "--threads", threads);
    expect(stderr).toContain(`Expected an integer from 1 to 64 or auto, got "${threads}".`);
    expect(code).toBe(2);
  });

  it("--quiet says results alone", async () => {
    const args = ["export", at("named.safetensors"), at("quiet.onnx"), "--quiet"];
    expect(await im2row(...args)).toEqual({ code: 0, stdout: "", stderr: "" });
    const { stdout } = await im2row(
      "train",
      "--epochs",
      "1",
      "--batch-size",
      "600",
      "--quiet",
      "--out",
      at("digits"),
    );
    expect(stdout).toMatch(/^saved .*\nsha256 .*\nreloaded .*\ntest accuracy .*\n$/);
    const inspected = (await im2row("inspect", at("digits"))).stdout;
    expect(inspected).toContain("classes     10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n");
    expect(inspected).toMatch(/^images {6}scale 0\.0039\d+, mean 0\.1307, std 0\.3081$/m);
  });

  it("--verbose says where an error comes from, by names of functions", async () => {
    const { code, stderr } = await im2row("run", at("grey.onnx"), at("x.npy"), "--verbose");
    expect(code).toBe(2);
    const [message, ...frames] = stderr.split("\n");
    expect(message).toMatch(/^im2row: .*x\.npy: predict: x: expected shape n×1×1×1, got 1×3×2×2$/);
    expect(frames.filter((line) => line.startsWith("    at ")).length).toBeGreaterThan(3);
    expect(stderr).toContain("\nim2row: caused by ShapeError: predict: x: expected shape");
    expect(stderr).toMatch(/^ {4}at checkFeedShape /m);
  });

  it("--help of each says what exit codes mean, as docs/cli.md does", async () => {
    const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
    for (const command of [[], ["run"], ["export"]]) {
      const { stdout } = await im2row(...command, "--help");
      for (const code of ["0", "1", "2", "129, 130, 143"]) {
        expect(stdout).toMatch(new RegExp(`^  ${code} {2,}\\w`, "m"));
        expect(page).toContain(`| ${code} `);
      }
    }
  });
});
