import { join } from "node:path";
import type { Plugin } from "esbuild";
import { bundleEntry, bundlePrograms, installed } from "../bundle.ts";
import type { Launcher } from "../launcher.ts";
import { absentPackage, INSTALLED, installedVersion, OUT, PACKAGE } from "../paths.ts";
import { processHost, v8 } from "../processes.ts";

/** Resolves `x.wasm?module` as Vercel's bundler does: the modules come from the host. */
const moduleOfHost: Plugin = {
  name: "module of host",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "host" }));
    onLoad({ filter: /.*/, namespace: "host" }, ({ path }) => ({
      contents: `export default ${path.includes("relaxed") ? "relaxed" : "exact"};`,
    }));
  },
};

/** Vercel's runtime, in a Node of its own. */
export const edgeRuntime: Launcher = {
  name: "edge-runtime",
  kind: "suite",
  absent: () => absentPackage("edge-runtime"),
  async open() {
    const plugins = [installed, moduleOfHost];
    await bundlePrograms("edge", { plugins, conditions: ["edge-light"], format: "iife" });
    const server = join(OUT, "edge-server.js");
    await bundleEntry("edgeServer", server, { platform: "node", packages: "external" });
    const runtime = join(INSTALLED, "edge-runtime");
    const binaries = join(PACKAGE, "dist");
    const version = `${installedVersion("edge-runtime")} (${v8(process.versions.v8)})`;
    return processHost(version, (file) => [process.execPath, server, file, binaries, runtime], {
      entry: "edge",
    });
  },
};
