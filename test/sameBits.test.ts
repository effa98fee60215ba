/** Code that could give other bits on another machine must not exist: a guard over the sources and the binary. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";
import { transform } from "esbuild";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** IEEE 754 or the integers define these to the last bit. The rest of `Math` is each host's own approximation. */
const EXACT = new Set(
  "abs ceil clz32 floor fround imul max min round sign sqrt trunc SQRT2 LN2 PI E".split(" "),
);

/**
 * Files that may read the clock: it decides when the event loop gets a turn, what a progress bar says, when a worker that
 * waits goes to sleep and when one that does not answer is given up, how long a layer or a receipt took, whether a file takes longer than
 * a limit that the caller sets, when a model was saved; no result.
 */
const CLOCKS = new Set([
  "budget.ts",
  "runtime/yield.ts",
  "runtime/threads/team.ts",
  "runtime/threads/scripts/worker.ts",
  "graph/session.ts",
  "cli/progress.ts",
  "cli/nets/bench.ts",
  "cli/train/fitModel.ts",
  "receipts/record/recorder.ts",
  "receipts/record/sampleTree.ts",
  "storage/indexedDb.ts",
]);

/** Files that may use the host's cryptography: names of temporary files that nobody can guess, hashes of files and
 * states; no result. */
const SECRETS = new Set([
  "files/replaceFile.ts",
  "receipts/record/sha256.ts",
  "storage/integrity.ts",
  "cli/train/saveRun.ts",
  "cli/train/digitsTask.ts",
  "cli/train/pictures.ts",
  "cli/htmlReport/page.ts",
]);

/** Files that draw curves for people, whose heights go by logarithms; no result. */
const CURVES = new Set(["cli/train/curves.ts", "cli/htmlReport/charts.ts"]);

/** Calls of the host whose results differ from host to host, or from run to run. */
async function offences(source: string): Promise<string[]> {
  // Without comments, which may speak of what the code does not do.
  const { code } = await transform(source, {
    loader: "ts",
    target: "esnext",
    minifyWhitespace: true,
    minifySyntax: true,
  });
  const found: string[] = [];
  for (const [use, , member] of code.matchAll(/\bMath\b(\s*\.\s*(\w+))?/g)) {
    if (!member || !EXACT.has(member)) found.push(use);
  }
  // A whole power of two is exact in every engine.
  const rest = code.replaceAll(/\b2\*\*-?\d+\b/g, "");
  for (const [use] of rest.matchAll(/\*\*=?|\b(Date|performance|crypto)\b/g)) found.push(use);
  return found;
}

describe("sources", () => {
  const files = readdirSync(`${root}/src`, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));

  it("are all looked at", () => {
    expect(files).toContain("training/trainer.ts");
    expect(files.length).toBeGreaterThan(40);
  });

  it.each(files)("src/%s calls no function of the host that rounds as it likes", async (file) => {
    const found = await offences(readFileSync(`${root}/src/${file}`, "utf8"));
    const allowed = [
      ...(CLOCKS.has(file) ? ["performance", "Date"] : []),
      ...(SECRETS.has(file) ? ["crypto"] : []),
      ...(CURVES.has(file) ? ["Math.log", "Math.log10", "**"] : []),
    ];
    expect(found.filter((use) => !allowed.includes(use))).toEqual([]);
  });

  it.each([
    ["const y = Math.exp(x);", ["Math.exp"]],
    ["const y = Math\n  .pow(x, 2);", ["Math.pow"]],
    ["const y = x ** 0.5; y **= 2;", ["**", "**="]],
    ["const { sin } = Math;", ["Math"]],
    ['const y = Math["log"](x);', ["Math.log"]],
    ["const y = [Math.random(), Date.now(), performance.now()];", ["Math.random", "Date", "performance"]],
    ["crypto.getRandomValues(x);", ["crypto"]],
    ["/** x ** 2, Math.exp */ const y = Math.sqrt(Math.fround(2 ** 32)); // Math.exp", []],
  ])("%j holds what it holds", async (source, uses) => {
    expect(await offences(source)).toEqual(uses);
  });
});

describe("the binaries", () => {
  /** The binary's text, by a decoder that knows every proposal. */
  function disassemble(bytes: Uint8Array): string {
    const module = binaryen.readBinary(bytes);
    const text = module.emitText();
    module.dispose();
    return text;
  }

  it.each([
    ["im2row.wasm", []],
    ["im2row.relaxed.wasm", ["f32x4.relaxed_madd"]],
  ])("%s holds vector instructions, and of the relaxed ones %j", (file, relaxed) => {
    const text = disassemble(readFileSync(`${root}/build/${file}`));
    expect(text).toMatch(/f32x4\.mul/);
    expect([...new Set(text.match(/[\w.]*relaxed\w*(?= *$| *\()/gm))]).toEqual(relaxed);
  });

  it("would be refused with another one", () => {
    const module = binaryen.parseText(`(module (func (export "f") (param v128 v128 v128) (result v128)
      (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))))`);
    module.setFeatures(binaryen.Features.All);
    expect(disassemble(module.emitBinary())).toMatch(/relaxed/);
    module.dispose();
  });

  it("import their memory, and no function of the host", () => {
    const module = new WebAssembly.Module(readFileSync(`${root}/build/im2row.wasm`));
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
  });
});
