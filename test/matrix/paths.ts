import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const HERE = join(ROOT, "test/matrix");
/** All that the matrix writes. */
export const OUT = join(ROOT, "build/matrix");
/** The package as a user has it. */
export const PACKAGE = join(OUT, "node_modules/im2row");

/** The home of all runtimes, so that they leave no profiles and caches elsewhere. Not in OUT: sockets want short paths. */
export const HOME = join(tmpdir(), `im2row-matrix-${process.pid}`);
export const ENV = {
  ...process.env,
  HOME,
  TMPDIR: HOME,
  XDG_CACHE_HOME: HOME,
  XDG_CONFIG_HOME: HOME,
  XDG_DATA_HOME: HOME,
};

/** Packages that the matrix runs. */
export const INSTALLED = join(ROOT, "test/node_modules");

/** The version of one of them; undefined where they are not installed. */
export function installedVersion(name: string): string | undefined {
  const manifest = join(INSTALLED, name, "package.json");
  if (!existsSync(manifest)) return undefined;
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** `Launcher.absent` of a runtime that is a package of the repository. */
export function absentPackage(name: string): string | undefined {
  return installedVersion(name) === undefined ? "npm ci --prefix test" : undefined;
}

/** `Launcher.absent` of a runtime whose commands come from Debian's packages. */
export function absentCommand(packages: string, ...commands: readonly string[]): string | undefined {
  return commands.every(findCommand) ? undefined : `apt-get install ${packages}`;
}

/** The file of a command. */
export function findCommand(name: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
