import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { Host, Launcher } from "../launcher.ts";
import { absentPackage, INSTALLED, OUT, ROOT } from "../paths.ts";
import { firstLine, processHost, v8 } from "../processes.ts";

const DENO = join(INSTALLED, ".bin/deno");
/** Neither the network nor any permission. */
const RUN = [DENO, "run", "--no-remote", "--no-prompt", "--quiet"];

function host(...options: readonly string[]): Host {
  const [version, engine] = firstLine(DENO, "eval", "console.log(Deno.version.deno, Deno.version.v8)").split(
    " ",
  ) as [string, string];
  const env = { DENO_NO_UPDATE_CHECK: "1" };
  return processHost(`${version} (${v8(engine)})`, (file) => [...RUN, ...options, file], { env });
}

/** The package as npm installs it. */
export const deno: Launcher = {
  name: "Deno",
  kind: "suite",
  absent: () => absentPackage("deno"),
  open: async () => host("--node-modules-dir=manual"),
};

/** The one import that is CommonJS, which Deno takes from npm alone; a module is made of it here. */
const DECODER = "jpeg-js/lib/decoder.js";
const DECODER_MODULE = join(OUT, "decoder.js");

/** An import map: jsr.json resolves a program's imports of the package, and npm the package's own. */
function sourceImports(): Record<string, string> {
  const jsr = JSON.parse(readFileSync(join(ROOT, "jsr.json"), "utf8")) as {
    exports: Record<string, string>;
  };
  const entries = Object.entries(jsr.exports);
  const files = [
    ...entries.map(([name, file]) => [name.replace(".", "im2row"), file] as const),
    ["pbf", "node_modules/pbf/index.js"] as const,
    ["fflate/browser", "node_modules/fflate/esm/browser.js"] as const,
    [DECODER, relative(ROOT, DECODER_MODULE)] as const,
  ];
  return Object.fromEntries(files.map(([name, file]) => [name, pathToFileURL(join(ROOT, file)).href]));
}

/** The TypeScript sources, as JSR publishes them. */
export const denoSource: Launcher = {
  name: "Deno, from source",
  kind: "suite",
  absent: () => absentPackage("deno"),
  async open() {
    const contents = `export { default } from "${DECODER}";`;
    await build({
      stdin: { contents, resolveDir: ROOT },
      bundle: true,
      format: "esm",
      outfile: DECODER_MODULE,
    });
    const file = join(OUT, "source.json");
    writeFileSync(file, JSON.stringify({ imports: sourceImports() }));
    return host("--no-config", "--no-npm", `--import-map=${file}`);
  },
};
