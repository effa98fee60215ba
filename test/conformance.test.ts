/** The conformance suite under vitest, and what makes it one that any host can run. */
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { load } from "im2row";
import { afterAll, describe, expect, it } from "vitest";
import type { Case, Context } from "./conformance/case.ts";
import { layerGradientCases } from "./conformance/gradients.ts";
import golden from "./conformance/digests.json" with { type: "json" };
import { PRINTED } from "./conformance/printed.ts";
import { cases, printDigests, runSuite } from "./conformance/suite.ts";
import { globs } from "./support/globs.ts";

const read = (name: string): Uint8Array =>
  readFileSync(new URL(`goldens/${name}.safetensors`, import.meta.url));

const context: Context = {
  load,
  engine: await load(),
  goldens: {
    lenet5: read("lenet5"),
    strided: read("strided"),
    hourglass: read("hourglass"),
    rearranged: read("rearranged"),
    normalized: read("normalized"),
  },
};
afterAll(() => context.engine.dispose());

/** `test/layers` runs the gradients of each layer. */
const others = cases.filter((each) => !layerGradientCases.includes(each));

describe("conformance", () => {
  it.each(others.map(({ name, run }) => [name, run] as const))("%s", async (_name, run) => {
    await run(context);
    expect(context.engine.memory.used).toBe(0);
  });
});

describe("runSuite", () => {
  const digests = PRINTED.map((name) => `${name} ${golden[name]}`);

  it("prints the failures with their messages, the counts, the threads and the digests", async () => {
    const list: Case[] = [
      { name: "sound", run: () => {} },
      {
        name: "thrown",
        run() {
          throw new Error("x: expected 1, got 2");
        },
      },
      { name: "rejected", run: () => Promise.reject(new Error("later")) },
      // A thrown value need not be an Error.
      { name: "odd", run: () => Promise.reject("odd" as unknown as Error) },
    ];
    const lines: string[] = [];
    expect(await runSuite(context, (line) => lines.push(line), list)).toEqual({ passed: 1, failed: 3 });
    expect(lines).toEqual([
      "FAIL thrown: x: expected 1, got 2",
      "FAIL rejected: later",
      "FAIL odd: odd",
      "1 passed, 3 failed",
      "threads 2",
      ...digests,
    ]);
  });

  it("has printDigests for the digests alone", async () => {
    const lines: string[] = [];
    await printDigests(context, (line) => lines.push(line));
    expect(lines).toEqual(digests);
  });
});

it("the table of docs/runtimes.md shows the digests of today", () => {
  const page = readFileSync(new URL("../docs/runtimes.md", import.meta.url), "utf8");
  const shown = [...page.matchAll(/^\|.*\| ([0-9a-f]{8}(?: [0-9a-f]{8})+) +\|/gm)].map(
    ([, digests]) => digests,
  );
  expect(shown.length).toBeGreaterThan(10);
  const names = /\| (operators, .*?) +\|/.exec(page)![1]!.split(", ") as (keyof typeof golden)[];
  expect(new Set(shown)).toEqual(new Set([names.map((name) => golden[name].slice(0, 8)).join(" ")]));
});

describe("the suite's code", () => {
  const ENTRIES = [
    "im2row",
    "im2row/data",
    "im2row/images",
    "im2row/onnx",
    "im2row/receipts",
    "im2row/relaxed",
  ];
  /** The globals of a bare realm, and those that the suite may use besides. */
  const bare = new Set([
    ...(runInNewContext("Object.getOwnPropertyNames(globalThis)") as string[]),
    "TextEncoder",
    "TextDecoder",
  ]);
  /** Hosts' names, and what would read a clock, ask for chance or wait for the garbage collector. */
  const forbidden = [
    ...Object.getOwnPropertyNames(globalThis).filter((name) => !bare.has(name)),
    ..."window self document location alert postMessage importScripts requestAnimationFrame".split(" "),
    ..."XMLHttpRequest Worker Deno Bun console require module exports __dirname __filename".split(" "),
    ..."globalThis eval Date Intl WeakRef FinalizationRegistry SharedArrayBuffer Atomics".split(" "),
  ];

  it("imports the package alone, and names nothing of a host", async () => {
    expect(forbidden).toEqual(
      expect.arrayContaining(["process", "Buffer", "fetch", "setTimeout", "performance"]),
    );
    // `define` puts a mark in the place of free names alone; `Math.random` is the member of a free name.
    const marks = [...new Set(forbidden)].map((name) => [name, `HOST_${name}`] as const);
    const { outputFiles, metafile } = await build({
      entryPoints: ["test/conformance/suite.ts"],
      bundle: true,
      format: "esm",
      platform: "neutral",
      external: ENTRIES,
      plugins: [globs],
      define: { ...Object.fromEntries(marks), "Math.random": "HOST_Math_random" },
      write: false,
      metafile: true,
    });
    const [output] = Object.values(metafile.outputs);
    expect(new Set(output!.imports.map(({ path }) => path))).toEqual(new Set(ENTRIES));
    expect(outputFiles[0]!.text.match(/HOST_\w+/g)).toBeNull();
    // The drawn digits and what they need are the only sources of the package in the bundle.
    const own = Object.keys(metafile.inputs).filter((path) => path.startsWith("src/"));
    expect(own.sort()).toEqual([
      "src/cli/digits.ts",
      "src/cli/figures.ts",
      "src/errors.ts",
      "src/options.ts",
      "src/random.ts",
    ]);
  });
});
