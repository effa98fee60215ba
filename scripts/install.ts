/**
 * Installs the packages of folders that have a lock file of their own, unless they are there as the lock file has them.
 * The root's own stay few, so that a clone is soon ready; what linters, other runtimes and the benchmark's peers weigh
 * comes with the command that uses it.
 *
 *   tsx scripts/install.ts <folder> …
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Remembers in a folder's node_modules which lock file it was installed from. */
const STAMP = "node_modules/.installed-lock";

function install(folder: string): void {
  const hash = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const stamp = join(folder, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  const { description } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    description: string;
  };
  console.error(`Installing ${folder}/node_modules (${description})`);
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm ci in ${folder}: expected exit code 0, got ${status}`);
  writeFileSync(stamp, hash);
}

for (const folder of process.argv.slice(2)) install(folder);
