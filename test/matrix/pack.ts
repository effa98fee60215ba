/** Puts the package where a user has it: `build/matrix/node_modules/im2row`, out of the tarball that would be published. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pack } from "../support/tarball.ts";
import { OUT, PACKAGE, ROOT } from "./paths.ts";

export function installPackage(): void {
  if (!existsSync(join(ROOT, "dist/index.js"))) {
    throw new Error("dist: expected a build of the package, got none; npm run build");
  }
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(PACKAGE, { recursive: true });
  execFileSync("tar", ["-xzf", pack(OUT).tarball, "-C", PACKAGE, "--strip-components=1"]);
  // Without these two of its own the folder would belong to the repository: its name is the package's too, and its
  // tsconfig.json, which Bun and esbuild obey, has the name stand for the sources.
  const manifest = { name: "im2row-matrix", private: true, type: "module", dependencies: { im2row: "*" } };
  writeFileSync(join(OUT, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(join(OUT, "tsconfig.json"), "{}\n");
}
