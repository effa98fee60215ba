import { join } from "node:path";
import type { Launcher } from "../launcher.ts";
import { absentPackage, INSTALLED } from "../paths.ts";
import { firstLine, processHost } from "../processes.ts";

const BUN = join(INSTALLED, ".bin/bun");
/** The engine has no version but its commit. */
const COMMIT_LENGTH = 8;

export const bun: Launcher = {
  name: "Bun",
  kind: "suite",
  absent: () => absentPackage("bun"),
  async open() {
    const [version, webkit] = firstLine(
      BUN,
      "-e",
      "console.log(process.versions.bun, process.versions.webkit)",
    ).split(" ") as [string, string];
    const engine = `JavaScriptCore ${webkit.slice(0, COMMIT_LENGTH)}`;
    return processHost(`${version} (${engine})`, (file) => [BUN, "--no-install", "run", file]);
  },
};
