/**
 * Runs the Worker of examples/edge-worker here, in workerd through Miniflare, as wrangler would:
 *
 *   npm ci --prefix test && npm run build && npx tsx test/examples/edge-worker/serve.ts
 */
import { readFileSync } from "node:fs";
import { basename, extname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const FOLDER = fileURLToPath(new URL("../../../examples/edge-worker/", import.meta.url));
const [, COMPATIBILITY_DATE] = /"compatibility_date": "(.+)"/.exec(
  readFileSync(`${FOLDER}wrangler.jsonc`, "utf8"),
) as RegExpExecArray & [string, string];

/** The types of module that workerd makes of files. */
const TYPES = { ".js": "ESModule", ".wasm": "CompiledWasm", ".safetensors": "Data" } as const;

interface Module {
  type: (typeof TYPES)[keyof typeof TYPES];
  path: string;
  contents: Uint8Array<ArrayBuffer>;
}

/** The script, the binary that the package imports, and the model. */
export async function bundle(): Promise<Module[]> {
  const { outputFiles } = await build({
    entryPoints: [`${FOLDER}worker.ts`],
    conditions: ["workerd"],
    loader: { ".wasm": "copy", ".safetensors": "copy" },
    // The package by its own export map, not by the paths of this project's TypeScript.
    tsconfigRaw: {},
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    outdir: "/",
    write: false,
  });
  const modules = outputFiles.map(({ path, contents }): Module => {
    const type = TYPES[extname(path) as keyof typeof TYPES];
    return { type, path: basename(path), contents: contents as Uint8Array<ArrayBuffer> };
  });
  // The first one is the entry.
  return modules.sort((a, b) => Number(b.type === "ESModule") - Number(a.type === "ESModule"));
}

/** Starts a Worker; port 0 is any free one. */
export async function serve(
  modules: Module[],
  port = 0,
): Promise<{ address: string; stop: () => Promise<void> }> {
  const worker = new Miniflare({
    modules,
    compatibilityDate: COMPATIBILITY_DATE,
    host: "127.0.0.1",
    port,
    // Else it asks the network for details of the connection.
    cf: false,
  });
  const { href } = await worker.ready;
  return { address: href, stop: () => worker.dispose() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const modules = await bundle();
  for (const { path, contents } of modules) {
    console.log(`${path}: ${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} gzipped`);
  }
  const { address } = await serve(modules, 8787);
  const sample = relative(process.cwd(), `${FOLDER}seven.png`);
  console.log(`\nServing at ${address} until Ctrl-C. Try\n\n  curl --data-binary @${sample} ${address}\n`);
}
