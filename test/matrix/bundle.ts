/** Makes of the programs what each kind of host can read. */
import { join } from "node:path";
import { build, type BuildOptions, type Plugin } from "esbuild";
import { globs } from "../support/globs.ts";
import { PROGRAMS, type Program } from "./launcher.ts";
import { HERE, OUT } from "./paths.ts";

/** Leaves the import of the package to the host. */
export const byHost: Plugin = {
  name: "by host",
  setup({ onResolve }) {
    onResolve({ filter: /^im2row(\/|$)/ }, ({ path }) => ({ path, external: true }));
  },
};

/** Finds the package where a user has it, under the conditions of the host. */
export const installed: Plugin = {
  name: "installed",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^im2row(\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === OUT ? undefined : resolve(path, { kind, resolveDir: OUT, pluginData: OUT }),
    );
  },
};

const COMMON: BuildOptions = {
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  loader: { ".safetensors": "binary" },
  // The repository's own would lead the programs to its sources.
  tsconfigRaw: {},
  logLevel: "silent",
};

/** Bundles one file of `entries`. */
export async function bundleEntry(entry: string, outfile: string, options: BuildOptions): Promise<void> {
  await build({
    ...COMMON,
    ...options,
    plugins: [globs, ...(options.plugins ?? [])],
    entryPoints: [join(HERE, "entries", `${entry}.ts`)],
    outfile,
  });
}

/** Bundles `entries/<entry>.ts` around a program, as `<entry>/<program>.js`. */
export async function bundleProgram(entry: string, program: Program, options: BuildOptions): Promise<void> {
  const alias = { ...options.alias, program: join(HERE, "programs", `${program}.ts`) };
  await bundleEntry(entry, join(OUT, entry, `${program}.js`), { ...options, alias });
}

/** Bundles it around each of the programs. */
export async function bundlePrograms(entry: string, options: BuildOptions): Promise<void> {
  for (const program of PROGRAMS) await bundleProgram(entry, program, options);
}
