/**
 * What must not outlive the matrix: processes, folders. Each is held here from its start to its end, and let go when the
 * matrix ends, by whatever way.
 */
import { mkdirSync, rmSync } from "node:fs";
import { HOME } from "./paths.ts";

const held = new Set<() => void>();

/** Sees to it that `release` runs: when the result is called, or at the end of the matrix. Once. */
export function hold(release: () => void): () => void {
  held.add(release);
  return () => {
    if (held.delete(release)) release();
  };
}

/** Makes the home of the runtimes, for this process's own temporary files too. */
export function holdHome(): void {
  mkdirSync(HOME, { recursive: true });
  process.env["TMPDIR"] = HOME;
  // A browser that was just killed may still write for a moment.
  hold(() => rmSync(HOME, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
}

/** Lets go of all, last come first. */
function releaseAll(): void {
  for (const release of [...held].reverse()) {
    held.delete(release);
    try {
      release();
    } catch (error) {
      console.error(error);
    }
  }
}

/** From now on the end of this process, by a signal too, is the end of all that is held. */
export function releaseAtExit(): void {
  process.on("exit", releaseAll);
  // Shells report these codes for a program that a signal ended: 128 + its number.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
