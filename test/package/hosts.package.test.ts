/** Hosts that refuse to compile: the entry without their condition says which option helps, and that option does. */
import { readFileSync } from "node:fs";
import { EdgeRuntime } from "edge-runtime";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";

const REFUSAL =
  /^load: this host refuses to compile WebAssembly \(.+\); pass an already compiled WebAssembly\.Module as load\(\{ module \}\), or /;

describe("Vercel's edge-runtime", () => {
  const open = (extra: object): EdgeRuntime =>
    new EdgeRuntime({
      codeGeneration: { strings: false, wasm: false },
      extend: (context) => Object.assign(context, extra),
      initialCode: readFileSync(`${root}/dist/im2row.global.js`, "utf8"),
    });

  it.each([
    ["its own binary", "{}"],
    ["bytes", "{ module: bytes }"],
    ["a response", "{ module: new Response(bytes) }"],
  ])("refuses %s with a reason", async (_, options) => {
    const bytes = new Uint8Array(readFileSync(`${root}/dist/im2row.wasm`));
    const message = await open({ bytes }).evaluate<Promise<string>>(
      `im2row.load(${options}).then(() => "compiled", (error) => error.message)`,
    );
    expect(message).toMatch(REFUSAL);
  });

  it("takes a module of another realm", async () => {
    const module = new WebAssembly.Module(readFileSync(`${root}/dist/im2row.wasm`));
    const text = await open({ module }).evaluate<Promise<string>>(
      "im2row.load({ module }).then((e) => String(e.matMul(im2row.tensor([2], [1, 1]), im2row.tensor([3], [1, 1])).data))",
    );
    expect(text).toBe("6");
  });
});

describe("workerd", () => {
  /** The answer of a worker that was bundled under these conditions and passes `options` to `load`. */
  async function answer(conditions: string[], options = "{}"): Promise<string> {
    const contents = `
      import { load, tensor } from "im2row";
      import wasm from "im2row/im2row.wasm";
      const product = (engine) => String(engine.matMul(tensor([2], [1, 1]), tensor([3], [1, 1])).data);
      const run = async () => product(await load(${options}));
      export default { fetch: async () => new Response(await run().catch((error) => error.message)) };`;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: root },
      tsconfigRaw: {},
      conditions,
      // wrangler does so: the file goes along, and its import stays.
      loader: { ".wasm": "copy" },
      assetNames: "[name]",
      outdir: "/",
      bundle: true,
      format: "esm",
      platform: "neutral",
      write: false,
    });
    const script = outputFiles.find(({ path }) => path.endsWith(".js"));
    const modules: ConstructorParameters<typeof Miniflare>[0]["modules"] = [
      { type: "ESModule", path: "worker.mjs", contents: script!.text },
      { type: "CompiledWasm", path: "im2row.wasm", contents: readFileSync(`${root}/dist/im2row.wasm`) },
    ];
    const worker = new Miniflare({ modules, cf: false, compatibilityDate: "2026-01-01" });
    try {
      return await (await worker.dispatchFetch("http://localhost/")).text();
    } finally {
      await worker.dispose();
    }
  }

  it("refuses the embedded binary with a reason", async () => {
    expect(await answer([])).toMatch(REFUSAL);
  });

  it("imports the file under its own condition", async () => {
    expect(await answer(["workerd"])).toBe("6");
  });

  it("takes the binary that a program imports", async () => {
    expect(await answer([], "{ module: wasm }")).toBe("6");
  });
});
