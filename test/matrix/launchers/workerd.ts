import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Miniflare } from "miniflare";
import { bundlePrograms, installed } from "../bundle.ts";
import type { Launcher } from "../launcher.ts";
import { absentPackage, INSTALLED, OUT, PACKAGE } from "../paths.ts";
import { firstLine } from "../processes.ts";

const COMPATIBILITY_DATE = "2026-01-01";

/** Cloudflare's runtime, through Miniflare. */
export const workerd: Launcher = {
  name: "workerd",
  kind: "suite",
  absent: () => absentPackage("miniflare"),
  async open() {
    const { Miniflare } = await import("miniflare");
    // Miniflare hands the binaries over as compiled modules, as Cloudflare's own bundler does.
    await bundlePrograms("worker", {
      plugins: [installed],
      conditions: ["workerd"],
      external: ["*.wasm"],
    });
    const binaries = ["im2row.wasm", "im2row.relaxed.wasm"].map((path) => ({
      type: "CompiledWasm" as const,
      path,
      contents: readFileSync(join(PACKAGE, "dist", path)),
    }));
    const log: string[] = [];
    let server: Miniflare | undefined;
    return {
      version: `${firstLine(join(INSTALLED, ".bin/workerd"), "--version").split(" ")[1]} (V8)`,
      log: () => log.join(""),
      close: async () => server?.dispose(),
      async run(program) {
        const contents = readFileSync(join(OUT, "worker", `${program}.js`), "utf8");
        const began = performance.now();
        // It ends with this process by itself, too.
        server = new Miniflare({
          cf: false,
          compatibilityDate: COMPATIBILITY_DATE,
          handleRuntimeStdio: (_: Readable, stderr: Readable) =>
            stderr.on("data", (text: Buffer) => log.push(String(text))),
          modules: [{ type: "ESModule", path: "worker.js", contents }, ...binaries],
        });
        const response = await server.dispatchFetch("http://localhost/");
        const text = await response.text();
        const milliseconds = performance.now() - began;
        await server.dispose();
        server = undefined;
        if (!response.ok) throw new Error(`${program}: expected status 200, got ${response.status}: ${text}`);
        return { lines: text.split("\n"), milliseconds };
      },
    };
  },
};
