/** The direction of imports: each folder of `src/` knows those below it, and no file is part of a circle. */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));

/** From the ground up: a file may import what stands on its own line or on an earlier one; the longest prefix counts. */
const FLOORS: readonly (readonly string[])[] = [
  [
    "../build/",
    "errors",
    "options",
    "tensor",
    "dtype",
    "labels",
    "random",
    "budget",
    "stream",
    "definition",
    "math",
    "version",
  ],
  ["formats/", "onnx/file/"],
  ["kernels/"],
  ["runtime/"],
  ["files/"],
  ["layers/", "ops/", "images/", "metadata"],
  ["graph/"],
  ["training/", "onnx/export/"],
  ["receipts/record/"],
  ["model/"],
  ["onnx/"],
  ["storage/", "pytorch/", "data/", "receipts/"],
  [
    "index",
    "inference",
    "onnx",
    "onnxCore",
    "images",
    "kernels",
    "pytorch",
    "relaxed",
    "storage",
    "data",
    "receipts",
  ],
  ["cli/"],
];

/** Folders of one floor that may not know each other. */
const APART: readonly (readonly [string, string])[] = [
  ["formats/", "onnx/file/"],
  ["layers/", "ops/"],
  ["training/", "onnx/export/"],
];

type Imports = ReadonlyMap<string, readonly string[]>;

/** By file of `src/`, the files that it imports, for values or for types. */
function readImports(): Imports {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
  return new Map(
    files.map((file) => {
      const text = readFileSync(`${SRC}/${file}`, "utf8");
      const specifiers = [...text.matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+\.ts)"/g)].map(
        (match) => match[1]!,
      );
      return [file, specifiers.map((specifier) => posix.join(posix.dirname(file), specifier))];
    }),
  );
}

/** The floor and the folder of a file. */
function placeOf(file: string): { floor: number; folder: string } {
  const holds = (folder: string): boolean =>
    folder.endsWith("/") ? file.startsWith(folder) : file === `${folder}.ts`;
  const all = FLOORS.flatMap((folders, floor) => folders.filter(holds).map((folder) => ({ floor, folder })));
  const [place] = all.sort((a, b) => b.folder.length - a.folder.length);
  if (!place) throw new Error(`src/${file}: expected a folder with a place in the order of imports`);
  return place;
}

/** The imports that lead to a higher floor, or to a folder beside. */
function climbing(imports: Imports): string[] {
  return [...imports].flatMap(([file, targets]) => {
    const own = placeOf(file);
    const climbs = (target: string): boolean => {
      const other = placeOf(target);
      const apart = APART.some((pair) => pair.includes(own.folder) && pair.includes(other.folder));
      return other.floor > own.floor || (apart && other.folder !== own.folder);
    };
    return targets.filter(climbs).map((target) => `${file} → ${target}`);
  });
}

/** One way around each circle of files. */
function circles(imports: Imports): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

describe("imports", () => {
  const imports = readImports();

  it("are found", () => {
    expect(imports.size).toBeGreaterThan(150);
    expect(imports.get("index.ts")).toContain("runtime/load.ts");
  });

  it("run down", () => {
    expect(climbing(imports)).toEqual([]);
    expect(climbing(new Map([["kernels/conv2d.ts", ["layers/dense.ts"]]]))).toHaveLength(1);
    expect(climbing(new Map([["training/fit.ts", ["onnx/export/file.ts"]]]))).toHaveLength(1);
  });

  it("make no circle", () => {
    expect(circles(imports)).toEqual([]);
    const circle = new Map([
      ["a.ts", ["b.ts"]],
      ["b.ts", ["c.ts"]],
      ["c.ts", ["b.ts"]],
    ]);
    expect(circles(circle)).toEqual(["b.ts → c.ts → b.ts"]);
  });
});
