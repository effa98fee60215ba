/**
 * Damaged files for every reader of the package, at length: each is refused by an error of the package or is read and used,
 * in bounded time and memory.
 *
 *   npm run fuzz -- --count 1000000 --seed 1 --reader onnx,png
 *   npm run fuzz -- --replay build/fuzz/faults/onnx-4294967296.bin
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { inputAt, READERS, readerAt, readersOf } from "./inputs.ts";
import { Counts, replay, run, type FoundFault } from "./run.ts";

const FAULTS = "build/fuzz/faults";
/** Characters by which faults are alike, and inputs that are kept of those that are. */
const LIKENESS = 100;
const MOST_KEPT = 5;
/** Ways to use a file that was kept under another name. */
const WAYS = 16;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    reader: { type: "string" },
    replay: { type: "string" },
  },
});

function integer(name: "count" | "seed" | "from", most: number): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new Error(`--${name}: expected an integer from 0 to ${most}, got ${values[name]}`);
}

/** Faults that are likely one: of a reader, with the same words but for numbers and what is quoted. */
const likenessOf = (reader: string, text: string): string =>
  `${reader}: ${text
    .split("\n")[0]!
    .replaceAll(/"[^"]*"|\d+(\.\d+)?/g, "…")
    .slice(0, LIKENESS)}`;

/** Keeps the input beside what is wrong with it. */
function keep(seed: number, names: readonly string[], { index, text }: FoundFault): string {
  const { reader, bytes, useSeed } = inputAt(readersOf(names), seed, index);
  mkdirSync(FAULTS, { recursive: true });
  const path = join(FAULTS, `${reader.name}-${useSeed}.bin`);
  writeFileSync(path, bytes);
  writeFileSync(`${path}.txt`, `seed ${seed}, input ${index}, readers ${names.join(",")}\n${text}\n`);
  return path;
}

async function fuzz(): Promise<number> {
  const [count, seed, from] = [integer("count", 2 ** 32), integer("seed", 2 ** 20), integer("from", 2 ** 32)];
  const names = values.reader?.split(",") ?? READERS.map(({ name }) => name);
  const readers = readersOf(names);
  const counts = new Counts();
  const kinds = new Map<string, number>();
  const { faults } = await run({
    seed,
    from,
    count,
    readers: names,
    onEnd(index, stage) {
      counts.add(readerAt(readers, index).name, stage);
      if (counts.total % 10_000 === 0) console.error(`${counts.total} inputs`);
    },
    onFault(fault) {
      const likeness = likenessOf(readerAt(readers, fault.index).name, fault.text);
      const before = kinds.get(likeness) ?? 0;
      kinds.set(likeness, before + 1);
      if (before < MOST_KEPT) console.log(`FAULT ${keep(seed, names, fault)}\n  ${fault.text}`);
    },
  });
  console.log(counts.toString());
  for (const [likeness, times] of kinds) console.log(`${times} × ${likeness}`);
  console.log(`${count} inputs, ${faults.length} faults`);
  return faults.length;
}

/** The reader and the way of use stand in the name of a file that was kept. */
async function again(file: string): Promise<number> {
  const [, name, way] = /^([a-z]+)-?(\d+)?.*$/.exec(basename(file)) ?? [];
  const reader = values.reader ?? name ?? "";
  readersOf([reader]);
  const ways = Array.from({ length: WAYS }, (_, i) => i);
  const faults = await replay(file, reader, way === undefined ? ways : [Number(way)]);
  for (const { text } of faults) console.log(`FAULT ${file}\n  ${text}`);
  console.log(`1 inputs, ${faults.length} faults`);
  return faults.length;
}

process.exitCode = (await (values.replay === undefined ? fuzz() : again(values.replay))) > 0 ? 1 : 0;
