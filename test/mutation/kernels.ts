/**
 * Mistakes in `assembly/`: each is compiled, without optimization, into a copy of the repository, and the tests that
 * have to do with its file are run there until one fails.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as asc from "assemblyscript/asc";
import { type Mutant, mutantsOf } from "./places.ts";
import type { Verdict } from "./report.ts";

/** Most seconds on a processor for one file of tests, which take a fraction of it; a loop without end runs into it. */
const LIMIT = 120;

/** Seen by no kernel's caller: the list of exports, what only other builds hold, and what is never compiled. */
const LEFT_OUT = new Set([
  "assembly/lib/work.ts",
  "assembly/index.ts",
  "assembly/threads.ts",
  "assembly/relaxed.ts",
]);

/** These tests run on a mistake that the tests of the kernels themselves did not notice. */
const NETS = ["test/conformance.test.ts", "test/sameBits.test.ts", "test/runtime/threadBits.test.ts"];

/** The sources of the kernels. */
export function kernelFiles(): string[] {
  return readdirSync("assembly", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `assembly/${name}`)
    .filter((file) => !LEFT_OUT.has(file))
    .sort();
}

/** Whether it is the value of a constant of a file: most of those tune speed alone. */
const tunes = (text: string, { operator, start }: Mutant): boolean =>
  operator === "NumberOff" && /^(export )?const \w+: \w+ = [^\n]*$/.test(lineUpTo(text, start));

/** Whether it is in a function that tells the work of a call, which is not compiled. */
const isCost = (text: string, { start }: Mutant): boolean =>
  /@work \*\/\nexport function [^}]*$/.test(text.slice(0, start));

const lineUpTo = (text: string, at: number): string => text.slice(text.lastIndexOf("\n", at - 1) + 1, at);

export async function kernelMutants(file: string): Promise<Mutant[]> {
  const text = readFileSync(file, "utf8");
  return (await mutantsOf(file)).filter((mutant) => !tunes(text, mutant) && !isCost(text, mutant));
}

/** The files that a source imports, itself included, by any number of steps. */
function reach(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, name] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)"/g)) {
    const path = join(dirname(file), name!);
    const found = [path, `${path}.ts`].find(
      (candidate) => candidate.endsWith(".ts") && existsSync(candidate),
    );
    if (found) reach(found, seen);
  }
  return seen;
}

interface KernelTest {
  readonly file: string;
  /** The sources that its kernels reach, and of those the kernels' own. */
  readonly reached: ReadonlySet<string>;
  readonly own: ReadonlySet<string>;
}

/** The tests of kernels, by the names of the kernels that they, their oracles and their support call. */
function kernelTests(): KernelTest[] {
  const homes = new Map<string, string>();
  for (const [, names, file] of readFileSync("assembly/index.ts", "utf8").matchAll(
    /export \{([^}]*)\} from "\.\/([^"]+)"/g,
  ))
    for (const name of names!.split(",")) if (name.trim()) homes.set(name.trim(), `assembly/${file}.ts`);
  return readdirSync("test/kernels")
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => {
      const file = `test/kernels/${name}`;
      const texts = [...reach(file)].filter((path) => path.startsWith("test/"));
      const words = new Set(texts.flatMap((path) => readFileSync(path, "utf8").match(/\w+/g) ?? []));
      const own = new Set([...homes].filter(([kernel]) => words.has(kernel)).map(([, home]) => home));
      return { file, own, reached: new Set([...own].flatMap((home) => [...reach(home)])) };
    });
}

/** The tests whose kernels reach a source: first those whose kernels are few, which say most about it. */
function testsOf(source: string): string[] {
  const rank = ({ own, reached }: KernelTest): number => (own.has(source) ? 0 : 1000) + reached.size;
  return kernelTests()
    .filter(({ reached }) => reached.has(source))
    .sort((a, b) => rank(a) - rank(b))
    .map(({ file }) => file);
}

/** The arguments of asconfig.json without the optimizer, which takes five times as long as all of the rest. */
function compilerArguments(target: "exact" | "threads"): string[] {
  const { entries, options, targets } = JSON.parse(readFileSync("asconfig.json", "utf8")) as {
    entries: string[];
    options: Record<string, unknown>;
    targets: Record<string, Record<string, unknown>>;
  };
  const { outFile: _, ...own } = targets[target]!;
  const args = [...entries, ...(target === "threads" ? ["assembly/threads.ts"] : [])];
  for (const [name, value] of [...Object.entries(options), ...Object.entries(own)]) {
    if (/optimizeLevel|shrinkLevel|converge/.test(name)) continue;
    for (const item of Array.isArray(value) ? value : [value])
      args.push(`--${name}`, ...(item === true ? [] : [String(item)]));
  }
  return [...args, "--config", "none", "--outFile", "kernels.wasm", "--disableWarning"];
}

/** A copy of the repository whose binaries are replaced. */
class Copy {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = resolve(folder);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    const generated = readdirSync("build").filter((name) => /wasm|\.ts$/.test(name));
    const files = ["src", "test", "assembly", "scripts", "package.json", "vitest.config.ts", "tsconfig.json"];
    for (const name of [...files, ...generated.map((file) => `build/${file}`)])
      cpSync(name, join(this.folder, name), {
        recursive: true,
        filter: (path) => !path.includes("node_modules"),
      });
    symlinkSync(resolve("node_modules"), join(this.folder, "node_modules"));
  }

  /** Replaces a binary by one of the sources with the mistake; returns whether they compile. */
  async compile(mutant: Mutant, target: "exact" | "threads"): Promise<boolean> {
    let binary: Uint8Array | undefined;
    const { error } = await asc.main(compilerArguments(target), {
      stderr: asc.createMemoryStream(),
      readFile: (name) => sourceOf(name, mutant),
      listFiles: () => null,
      writeFile(_, contents) {
        binary = contents as Uint8Array;
      },
    });
    if (error || !binary) return false;
    const suffix = target === "exact" ? "" : ".threads";
    writeFileSync(join(this.folder, `build/im2row${suffix}.wasm`), binary);
    const text = Buffer.from(binary).toString("base64");
    writeFileSync(
      join(this.folder, `build/wasm${suffix}.js`),
      `export default () => new Uint8Array(Buffer.from("${text}", "base64"));\n`,
    );
    return true;
  }

  /**
   * Runs tests until one fails. @throws Error when vitest itself does, as on a machine too busy to start its workers
   */
  async test(files: readonly string[]): Promise<Verdict> {
    const vitest = resolve("node_modules/vitest/vitest.mjs");
    const options = ["run", "--bail=1", "--reporter=dot", "--maxWorkers=1", ...files];
    const limited = `ulimit -t ${LIMIT} && exec "$0" "$@" 2>&1`;
    const child = spawn("sh", ["-c", limited, process.execPath, vitest, ...options], {
      cwd: this.folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, IM2ROW_DATA: resolve(process.env["IM2ROW_DATA"] ?? "../shared") },
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    if (said.includes("[vitest-pool]: Failed to start")) {
      throw new Error(`expected vitest to start its workers, got:\n${said.slice(-2000)}`);
    }
    return code === 0 ? "lived" : "noticed";
  }
}

/** A file for the compiler, with the mistake if it is there. */
function sourceOf(name: string, { file, start, end, replacement, node }: Mutant): string | null {
  if (!existsSync(name)) return null;
  const text = readFileSync(name, "utf8");
  if (resolve(name) !== resolve(file)) return text;
  const whole = node.type.endsWith("Statement") ? replacement : `(${replacement})`;
  return text.slice(0, start) + whole + text.slice(end);
}

/** Tries the mistakes one after the other. */
export async function runKernels(
  mutants: readonly Mutant[],
  folder: string,
  tell: (mutant: Mutant, verdict: Verdict) => void,
): Promise<void> {
  const copy = new Copy(folder);
  for (const mutant of mutants) tell(mutant, await judge(copy, mutant));
}

async function judge(copy: Copy, mutant: Mutant): Promise<Verdict> {
  if (!(await copy.compile(mutant, "exact"))) return "invalid";
  const verdict = await copy.test(testsOf(mutant.file));
  if (verdict !== "lived") return verdict;
  await copy.compile(mutant, "threads");
  return await copy.test(NETS);
}
