/** The ABI that the build reads from the kernels' sources, beside the binary that comes of them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readAbi, type Fn } from "../../scripts/abi/read.ts";
import { tableText } from "../../scripts/abi/table.ts";
import { workText } from "../../scripts/abi/work.ts";
import { ACTIVATION, PANEL_COLUMNS, UNARY, WINDOW_SIZE, writeWindow } from "../../build/kernels.ts";
import { SIZES, SPLIT } from "../../build/work.ts";
import { openKernels } from "../support/wasm.ts";

const abi = readAbi(fileURLToPath(new URL("../../assembly", import.meta.url)));
const { kernels } = openKernels();

/** The ABI with another docstring at a kernel. */
function tagged(name: keyof typeof SPLIT, tag: string, value: string): typeof abi {
  const change = (fn: Fn): Fn =>
    fn.name === name ? { ...fn, doc: { lines: fn.doc.lines, tags: new Map([[tag, value]]) } } : fn;
  return { ...abi, kernels: abi.kernels.map(change) };
}

describe("the table of kernels", () => {
  it("has what the binary exports, with as many parameters", () => {
    const exported = Object.entries(kernels).filter(([, value]) => typeof value === "function");
    const lengths = exported.map(([name, kernel]) => [name, (kernel as () => void).length]);
    expect(Object.fromEntries(abi.kernels.map((fn) => [fn.name, fn.parameters.length]))).toEqual(
      Object.fromEntries(lengths),
    );
  });

  it("says of each what it does", () => {
    expect(abi.kernels.filter(({ doc }) => doc.lines.length === 0).map(({ name }) => name)).toEqual([]);
    expect(tableText(abi)).not.toMatch(/@(abi|work|split|size|optional)\b/);
  });

  it("spells flags, optional flags and structs as callers pass them", () => {
    const text = tableText(abi);
    expect(text).toMatch(/ gemm\(transposeA: Flag, .* workspace: number, asIs\?: Flag\): void;/);
    expect(text).toMatch(/ im2row\(window: number, n: number, x: number, r: number\): void;/);
    expect(text).toMatch(/ sgdStep\(.*\): number;/);
  });

  it("has the numbers and the structs of the sources", () => {
    expect([ACTIVATION.linear, ACTIVATION.swish, ACTIVATION.mish]).toEqual([0, ACTIVATION.silu, 15]);
    expect([UNARY.abs, UNARY.sign, PANEL_COLUMNS, WINDOW_SIZE]).toEqual([0, 14, 8, 13]);
    const odd = abi.structs.map((each) => ({ ...each, fields: [{ ...each.fields[0]!, type: "f64" }] }));
    expect(() => tableText({ ...abi, structs: odd })).toThrow(
      /expected fields of the type i32, got axes: f64/,
    );
  });
});

describe("a source", () => {
  const read = (text: string, beside = ""): ReturnType<typeof readAbi> => {
    const folder = mkdtempSync(join(tmpdir(), "im2row-abi-"));
    try {
      writeFileSync(join(folder, "index.ts"), 'export { foo } from "./foo";');
      writeFileSync(join(folder, "foo.ts"), text);
      writeFileSync(join(folder, "bar.ts"), beside);
      return readAbi(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const kernel = "export function foo(a: usize, b: bool): f64 { return 1; }";

  it("has docstrings with tags in front of declarations, decorators between them", () => {
    const { kernels: found, costs } = read(
      `/** A cost. @work */\nconst COST: f64 = 3;\n\n/**\n * What it\n * does.\n *\n * @split COST * a\n * @size\n */\n// @ts-ignore: decorator\n@inline\n${kernel}`,
    );
    expect(found[0]).toMatchObject({ name: "foo", file: "foo.ts", result: "f64" });
    expect(found[0]!.doc.lines).toEqual(["What it", "does."]);
    expect([...found[0]!.doc.tags]).toEqual([
      ["split", "COST * a"],
      ["size", ""],
    ]);
    expect(costs).toMatchObject([{ name: "COST", value: "3" }]);
  });

  it("is refused with a tag that means nothing, a name twice, or nothing by an exported name", () => {
    expect(() => read(`/** It. @splt a */\n${kernel}`)).toThrow(
      "assembly/foo.ts: foo: expected a known tag, got @splt",
    );
    const cost = "/** A cost. @work */\nconst COST: f64 = 3;\n";
    expect(() => read(cost + kernel, cost)).toThrow("expected one declaration of the name COST");
    expect(() => read("")).toThrow("assembly/foo.ts: expected a function foo, got none");
  });
});

describe("the work of a call", () => {
  const ints = new Int32Array(64);
  const sizes = { h: 9, w: 8, c: 4, kh: 3, kw: 2, oh: 7, ow: 7 };
  const rest = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, top: 0, left: 0 };
  writeWindow(ints, 64, { ...sizes, ...rest });

  it("follows from the arguments and from structs", () => {
    expect(SPLIT.gemm!(ints, false, false, 2, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, 0)).toBe(30);
    // n·oh·ow pixels, patches of kh·kw·c elements, f filters in two groups.
    expect(SPLIT.conv2dForward!(ints, 64, 2, 6, 2, 0, 0, 0, 0, 0, 0, 0)).toBe((2 * 49 * 24 * 6) / 2);
    const log = SPLIT.unaryForward!(ints, UNARY.log, 0, 0, 0, 0, 10);
    expect(log / SPLIT.unaryForward!(ints, UNARY.neg, 0, 0, 0, 0, 10)).toBeGreaterThan(100);
  });

  it("is refused where it has names that nobody knows", () => {
    expect(() => workText(tagged("addForward", "split", "COPY * m"))).toThrow(
      /binary.ts: addForward: expected a known name in "COPY \* m", got m/,
    );
    expect(() => workText(tagged("im2row" as "gemm", "split", "window.depth"))).toThrow(
      /im2row: expected a field of Window, got window.depth/,
    );
  });

  it("stands beside a list of the functions that tell a size", () => {
    expect(SIZES).toContain("gemmWorkspace");
    const names = abi.kernels.map(({ name }) => name).filter((name) => /Workspace$|Packed/.test(name));
    expect([...SIZES].sort()).toEqual(names.sort());
  });
});
