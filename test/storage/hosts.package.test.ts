/** The places of the runtimes that are no browsers. The package is what `dist/` has, bundled. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { EdgeRuntime } from "edge-runtime";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layers, sequential } from "../../src/index.ts";
import { INSTALLED } from "../matrix/paths.ts";
import { root } from "../support/tarball.ts";

const FILE = sequential({ inputShape: [9], layers: [layers.dense({ units: 700 })], seed: 2 }).toSafetensors();
const INTEGRITY = `sha256-${createHash("sha256").update(FILE).digest("base64")}`;

let folder: string;
let server: Server;
let address: string;
let requests = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "im2row-hosts-"));
  server = createServer((_, response) => {
    requests++;
    response.end(FILE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

async function bundled(contents: string, conditions: string[] = []): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    // The package by its own export map, not by the paths of this project's TypeScript.
    tsconfigRaw: {},
    conditions,
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  return outputFiles[0]!.text;
}

/** Runs without blocking the server of this process. */
const run = promisify(execFile);

const installed = (name: string): string => join(INSTALLED, name);

describe("files and the web", () => {
  it.each([
    ["Node", [process.execPath], 2],
    ["Node 22", [installed("node22/bin/node")], 2],
    ["Node 26", [installed("node26/bin/node")], 2],
    // Deno has a Cache API.
    ["Deno", [installed(".bin/deno"), "run", "--no-config", "--no-prompt", "--quiet", "-A"], 1],
    ["Bun", [installed(".bin/bun"), "--no-install", "run"], 2],
  ] as const)("in %s", async (name, [command, ...args], downloads) => {
    if (!existsSync(command))
      throw new Error(`${command}: expected the runtime, got none; npm ci --prefix test`);
    const home = mkdtempSync(join(folder, "host-"));
    const path = join(home, "a model #1");
    const script = join(home, "program.mjs");
    const contents = `
      import { FormatError } from "im2row";
      import { openBytes, openModel, saveBytes, saveModel } from "im2row/storage";
      const [path, url, address, integrity] = ${JSON.stringify([path, pathToFileURL(path).href, address, INTEGRITY])};
      const refusal = (work) => work.then(() => "nothing refused", (error) => [error.name, error.message, error.cause?.code]);
      let progress;
      await saveBytes(new Uint8Array(10), path);
      const model = await openModel(address, { integrity, onProgress: (told) => (progress = told) });
      await saveModel(model, path);
      const same = (await openModel(new URL(url))).toSafetensors().join() === model.toSafetensors().join();
      await openBytes(address, { integrity });
      console.log(JSON.stringify({
        same,
        progress,
        missing: await refusal(saveModel(model, path + "/none/model")),
        none: await refusal(openModel(path + " none")),
        other: await refusal(saveModel(model, "indexeddb://m")),
        large: await refusal(openBytes(url, { maximumBytes: 100 })),
      }));`;
    writeFileSync(script, await bundled(contents));
    requests = 0;
    const env = { ...process.env, HOME: home, DENO_DIR: home, DENO_NO_UPDATE_CHECK: "1" };
    const { stdout } = await run(command, [...args, script], { env });
    const told = JSON.parse(stdout) as Record<string, unknown>;
    expect(told).toMatchObject({
      same: true,
      progress: { loaded: FILE.length },
      missing: [
        "StorageError",
        expect.stringContaining("expected a file that can be written, got ENO"),
        expect.any(String),
      ],
      none: [
        "StorageError",
        expect.stringContaining("expected a file that can be read, got ENOENT"),
        "ENOENT",
      ],
      other: [
        "OptionError",
        expect.stringMatching(/expected a file path, got "indexeddb:\/\/m": this host has no/),
        null,
      ],
      large: ["MemoryError", expect.stringContaining(`at most 100 bytes, got ${FILE.length}`), null],
    });
    expect(Buffer.compare(readFileSync(path), FILE)).toBe(0);
    expect(readdirSync(home).filter((file) => file.endsWith(".tmp"))).toEqual([]);
    expect(requests, name).toBe(downloads);
  });
});

/** Opens with an integrity and is refused to save, and says so in an answer. */
const EDGE = (at: string): string => `
  import { openBytes, saveBytes } from "im2row/storage";
  const work = async () => {
    const bytes = await openBytes(${JSON.stringify(at)}, { integrity: ${JSON.stringify(INTEGRITY)} });
    const other = await openBytes(${JSON.stringify(at)}, { integrity: "sha256-" + "A".repeat(43) + "=" }).catch(String);
    return [bytes.length, other, await saveBytes(bytes, "indexeddb://m").catch(String)].join(" | ");
  };`;

const ANSWER = (): string =>
  `${FILE.length} | StorageError: openBytes: ${address}: expected bytes with the integrity sha256-${"A".repeat(43)}=, got ` +
  `${INTEGRITY} | OptionError: saveBytes: place: expected a host with a file system or IndexedDB, got "indexeddb://m": ` +
  "this host has no IndexedDB";

describe("the web alone", () => {
  it("in workerd", async () => {
    const contents = `${EDGE(address)}
      export default { fetch: async () => new Response(await work().catch((error) => error.stack)) };`;
    const worker = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: await bundled(contents, ["workerd"]) }],
      cf: false,
      compatibilityDate: "2026-01-01",
    });
    try {
      expect(await (await worker.dispatchFetch("http://localhost/")).text()).toBe(ANSWER());
    } finally {
      await worker.dispose();
    }
  });

  it("in Vercel's edge-runtime", async () => {
    const { outputFiles } = await build({
      stdin: { contents: `${EDGE(address)} export { work };`, resolveDir: root },
      tsconfigRaw: {},
      conditions: ["edge-light"],
      bundle: true,
      format: "iife",
      globalName: "program",
      platform: "neutral",
      write: false,
    });
    const runtime = new EdgeRuntime({
      codeGeneration: { strings: false, wasm: false },
      initialCode: `${outputFiles[0]!.text}; globalThis.program = program;`,
    });
    expect(await runtime.evaluate<Promise<string>>("program.work()")).toBe(ANSWER());
  });
});
