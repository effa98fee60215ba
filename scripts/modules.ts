/**
 * The ES modules of the package, `dist/<entry>.js` and the files that they share: Rollup's work, and esbuild's on each
 * file.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { rollup, type GetModuleInfo, type Plugin } from "rollup";

/**
 * The entries of the package, `src/<entry>.ts`: those that bring a binary, and those that are the same for all hosts.
 */
const ENTRIES = ["index", "inference", "kernels", "relaxed"];
const PLAIN_ENTRIES = ["onnx", "onnxCore", "images", "data", "receipts", "storage", "pytorch"];

/**
 * Where an entry finds its binary. Embedded in a module by default, since esbuild and Rollup carry no
 * `new URL("x.wasm", import.meta.url)` along. Edge hosts refuse to compile, and import the file as a compiled module:
 * Workers by its name, Vercel with a suffix.
 */
const HOSTS = [
  { suffix: "", exact: "./wasm.js", relaxed: "./wasm.relaxed.js" },
  { suffix: ".workerd", exact: "./im2row.wasm", relaxed: "./im2row.relaxed.wasm" },
  { suffix: ".edge-light", exact: "./im2row.wasm?module", relaxed: "./im2row.relaxed.wasm?module" },
];

/**
 * The files that entries share, each with the entry that loads all of its modules; a module is in the first that has it.
 * A file costs a start a millisecond in Node and a page a request, so that few files serve better than ones that hold
 * exactly what each combination of entries needs.
 */
const SHARED = [
  { file: "core", entry: "inference" },
  { file: "training", entry: "index" },
  { file: "onnx", entry: "onnx" },
];

/** The module id of an entry for Rollup: its source file, with the host behind it. */
const idOf = (entry: string, suffix = ""): string => `${resolve(`src/${entry}.ts`)}?${suffix}`;
const fileOf = (id: string): string => id.replace(/\?.*/, "");

const input = Object.fromEntries([
  ...ENTRIES.flatMap((entry) => HOSTS.map(({ suffix }) => [entry + suffix, idOf(entry, suffix)])),
  ...PLAIN_ENTRIES.map((entry) => [entry, idOf(entry)]),
]);

/** Makes of each entry one a host, `<entry><suffix>`, which differs in where its import of the binary leads. */
const hosts: Plugin = {
  name: "hosts",
  resolveId(source, importer) {
    if (importer === undefined) return source;
    const host = HOSTS.find((one) => importer.endsWith(`?${one.suffix}`));
    if (source.endsWith("/build/wasm.js")) return { id: host!.exact, external: true };
    if (source.endsWith("/build/wasm.relaxed.js")) return { id: host!.relaxed, external: true };
    // An entry on which another builds stays whole, rather than that a third file holds what both need.
    if (importer.startsWith(resolve("src/data.ts")) && source === "./images.ts")
      return { id: "./images.js", external: true };
    return source.startsWith(".") ? null : fileURLToPath(import.meta.resolve(source));
  },
};

const TARGET = "es2022";

/** Takes the types out of each source. What a file is made of stays readable: those who bundle it minify it. */
const compile: Plugin = {
  name: "compile",
  load(id) {
    const sourcefile = fileOf(id);
    if (!sourcefile.endsWith(".ts")) return null;
    const code = readFileSync(sourcefile, "utf8");
    return transform(code, { loader: "ts", target: TARGET, sourcemap: true, sourcefile });
  },
};

/**
 * Makes a module of a CommonJS file that requires no other. It runs at the first call of the function that it exports, so
 * that bundlers leave it out of programs which never call it.
 */
const commonJs: Plugin = {
  name: "CommonJS",
  load(id) {
    if (!id.includes("/jpeg-js/")) return null;
    return `let exported;
function run() {
  const module = {};
${readFileSync(id, "utf8")}
  return module.exports;
}
export default (...args) => (exported ??= run())(...args);`;
  },
};

/** All that an entry loads at once, itself aside. */
function loadedBy(entry: string, getModuleInfo: GetModuleInfo): Set<string> {
  const loaded = new Set(getModuleInfo(idOf(entry))!.importedIds);
  for (const id of loaded) for (const imported of getModuleInfo(id)!.importedIds) loaded.add(imported);
  return loaded;
}

/** Writes them. What is imported when it is asked for stays in files of its own. */
export async function buildModules(dir: string): Promise<void> {
  const bundle = await rollup({
    input,
    plugins: [hosts, commonJs, compile],
    treeshake: { moduleSideEffects: false },
  });
  await bundle.write({
    dir,
    chunkFileNames: "[name]-[hash].js",
    sourcemap: true,
    // Imports for their effects alone, of which there are none, are what bundlers warn of.
    hoistTransitiveImports: false,
    // A frozen namespace is a call, for which bundlers would keep all the layers in programs without any.
    freeze: false,
    // AssemblyScript's loader, which the entry kernels has for each host.
    manualChunks: (id, { getModuleInfo }) =>
      id.includes("/@assemblyscript/loader/")
        ? "loader"
        : SHARED.find(({ entry }) => loadedBy(entry, getModuleInfo).has(id))?.file,
  });
  await bundle.close();
}
