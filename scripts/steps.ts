/** Steps of the build, which run when something that they read has changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Step {
  readonly name: string;
  /** What it does, as the terminal shows it; a step that takes no time says nothing. */
  readonly title?: string;
  /** Files, and folders with all that is in them, that the result depends on. */
  readonly inputs: readonly string[];
  /** Files that are there afterwards. */
  readonly outputs: readonly string[];
  run(): void | Promise<void>;
}

/** Where the hashes are kept of what each step last read. */
const STAMPS = "build/stamps";

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  return names.map((name) => join(path, name)).filter((file) => !statSync(file).isDirectory());
}

function hashOf(inputs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of inputs.flatMap(filesOf)) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest("hex");
}

/** Runs a step unless its outputs are there, made from the inputs as they are now. */
export async function runStep({ name, title, inputs, outputs, run }: Step): Promise<void> {
  const stamp = join(STAMPS, name);
  const hash = hashOf(inputs);
  if (outputs.every((file) => existsSync(file)) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash)
    return;
  rmSync(stamp, { force: true });
  if (title) console.error(`${title} …`);
  const began = performance.now();
  await run();
  const seconds = (performance.now() - began) / 1000;
  if (title) console.error(`${title}: ${seconds.toFixed(1)} s`);
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, hash);
}
