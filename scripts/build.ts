/**
 * Builds the package: `build/` holds the WebAssembly binaries and their embeddings, `dist/` what is published. What has not
 * changed is not built again.
 *
 *   tsx scripts/build.ts            all of it
 *   tsx scripts/build.ts wasm       the binaries alone
 *   tsx scripts/build.ts sources    what the sources run by: the exact binary
 *   tsx scripts/build.ts cli        the command line
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync } from "node:fs";
import { build, type BuildOptions } from "esbuild";
import { writeBinaryDigest } from "./binaryDigest.ts";
import { runStep, type Step } from "./steps.ts";
import { EXACT, RELAXED } from "./wasm.ts";

const LOCK = "package-lock.json";
const COMMON: BuildOptions = { bundle: true, target: "es2022", minify: true, logLevel: "warning" };

const ABI: Step = {
  name: "abi",
  inputs: ["assembly", "src/runtime/threads", "scripts/abi", "scripts/abi.ts", LOCK],
  outputs: ["build/kernels.ts", "build/work.ts", "build/threads.ts", "build/sha256.js"],
  run: () => void execFileSync("npm", ["run", "--silent", "abi"], { stdio: "inherit" }),
};

const DIGEST: Step = {
  name: "digest",
  inputs: ["build/im2row.wasm", "scripts/binaryDigest.ts"],
  outputs: ["build/wasm.sha256.js"],
  run: () => writeBinaryDigest("build"),
};

const CLI: Step = {
  name: "cli",
  title: "Bundling the command line",
  inputs: [
    "src",
    "build/kernels.ts",
    "build/work.ts",
    "build/threads.ts",
    "build/sha256.js",
    "build/wasm.js",
    "build/wasm.sha256.js",
    "package.json",
    LOCK,
    "scripts/build.ts",
  ],
  outputs: ["dist/cli.js"],
  async run() {
    await build({
      ...COMMON,
      // The frames that --verbose prints are to be read.
      minify: false,
      format: "esm",
      platform: "node",
      entryPoints: ["src/cli/main.ts"],
      outfile: "dist/cli.js",
      // The bundled CommonJS packages of the command line call require() for Node's own modules.
      banner: {
        js: `#!/usr/bin/env node\nimport { createRequire as requireOf } from "node:module";const require = requireOf(import.meta.url);`,
      },
    });
  },
};

const DIST: Step = {
  name: "dist",
  title: "Bundling the package, with its types",
  inputs: [
    ...CLI.inputs,
    "build/wasm.relaxed.js",
    "scripts/modules.ts",
    "tsconfig.json",
    "tsconfig.build.json",
  ],
  outputs: ["dist/index.js", "dist/im2row.global.js", "dist/types/src/index.d.ts"],
  async run() {
    for (const name of readdirSync("dist")) {
      if (name !== "cli.js") rmSync(`dist/${name}`, { recursive: true });
    }
    // Not before it is needed: the start of a command that finds everything built takes half a second less.
    const { buildModules } = await import("./modules.ts");
    await buildModules("dist");
    for (const suffix of ["", ".relaxed"]) {
      for (const name of [`wasm${suffix}.js`, `im2row${suffix}.wasm`])
        copyFileSync(`build/${name}`, `dist/${name}`);
    }
    await build({
      ...COMMON,
      format: "iife",
      globalName: "im2row",
      platform: "neutral",
      entryPoints: ["src/index.ts"],
      outfile: "dist/im2row.global.js",
      // For modules and sandboxes, whose var is no global.
      footer: { js: "globalThis.im2row = im2row;" },
    });
    execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "--project", "tsconfig.build.json"], {
      stdio: "inherit",
    });
    for (const name of ["binary.d.ts", "global.d.ts"]) copyFileSync(`src/${name}`, `dist/types/src/${name}`);
  },
};

/** Steps that follow each other; those of one list run at the same time. */
const TARGETS: Readonly<Record<string, readonly (readonly Step[])[]>> = {
  all: [[ABI, EXACT, RELAXED], [DIGEST], [CLI], [DIST]],
  wasm: [[ABI, EXACT, RELAXED], [DIGEST]],
  sources: [[ABI, EXACT], [DIGEST]],
  cli: [[ABI, EXACT], [DIGEST], [CLI]],
};

const [target = "all"] = process.argv.slice(2);
const stages = TARGETS[target];
if (!stages) throw new Error(`build: expected one of ${Object.keys(TARGETS).join(", ")}, got ${target}`);
for (const steps of stages) await Promise.all(steps.map(runStep));
