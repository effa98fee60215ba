/** The worker as one file, with heaps that can be guarded, and the command as another. */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { globs } from "../support/globs.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** By source: what guards it, and the names that are other ones then. */
const GUARDED: Readonly<Record<string, readonly [by: string, guard: string, names: string]>> = {
  "src/runtime/heap.ts": ["heap.ts", "guardHeap", "Heap"],
  "src/runtime/runtime.ts": ["runtime.ts", "guardRuntime", "Runtime"],
  "src/graph/arena.ts": ["plan.ts", "guardArena", "untouched, assignOffsets"],
  "src/graph/plan.ts": ["plan.ts", "guardPlan", "createPlan"],
};

/** Puts the guarded module in the place of each, as `test/guards/setup.ts` does in vitest. */
const guards: Plugin = {
  name: "guards",
  setup(bundler) {
    const paths = new Map(Object.entries(GUARDED).map(([path, by]) => [resolve(ROOT, path), by]));
    bundler.onResolve(
      { filter: /\/(heap|runtime|arena|plan)\.ts$/ },
      ({ path, importer, resolveDir, namespace }) => {
        const full = resolve(resolveDir, path);
        if (namespace === "guarded" || !paths.has(full) || importer === full) return undefined;
        return { path: full, namespace: "guarded" };
      },
    );
    bundler.onLoad({ filter: /.*/, namespace: "guarded" }, ({ path }) => {
      const [by, guard, names] = paths.get(path)!;
      const from = JSON.stringify(resolve(ROOT, "test/guards", by));
      const contents = [
        `import * as original from ${JSON.stringify(path)};`,
        `import { ${guard} } from ${from};`,
        `export * from ${JSON.stringify(path)};`,
        `export const { ${names} } = ${guard}(original);`,
      ];
      return { contents: contents.join("\n"), loader: "ts", resolveDir: ROOT };
    });
  },
};

let bundled: Promise<string> | undefined;

/** Builds the worker, once; its path. */
export function bundleWorker(): Promise<string> {
  return (bundled ??= bundle("worker", [guards, globs]));
}

/** Builds the command; its path. */
export function bundleCommand(): Promise<string> {
  return bundle("command", [globs]);
}

async function bundle(name: string, plugins: Plugin[]): Promise<string> {
  const folder = resolve(ROOT, "build/fuzz");
  mkdirSync(folder, { recursive: true });
  const outfile = resolve(folder, `${name}.mjs`);
  await build({
    entryPoints: [resolve(ROOT, `test/fuzz/${name}.ts`)],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    outfile,
    plugins,
    sourcemap: true,
    logLevel: "error",
  });
  return outfile;
}
