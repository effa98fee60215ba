/**
 * A process that tries inputs one after the other and writes a line before and after each, at once, so that the last line
 * names the input that hung or killed it.
 */
import { writeSync } from "node:fs";
import { attempt, isWorn, type Outcome } from "./attempt.ts";
import { Bench } from "./bench.ts";
import { inputAt, readersOf, type Input } from "./inputs.ts";
import { readFileSync } from "node:fs";

/** Inputs `from` to before `to` of a seed, or a file. */
export type Order = { readonly readers: readonly string[] } & (
  | { readonly seed: number; readonly from: number; readonly to: number }
  | { readonly file: string; readonly useSeed: number }
);

export type Line =
  | { readonly begins: number }
  | ({ readonly ends: number } & Outcome)
  /** The process has used so much memory that another has to go on. */
  | { readonly worn: number };

const tell = (line: Line): void => void writeSync(1, `${JSON.stringify(line)}\n`);

async function tryOne(index: number, make: () => Input, bench: Bench): Promise<void> {
  tell({ begins: index });
  tell({ ends: index, ...(await attempt(make(), bench)) });
}

const order = JSON.parse(process.argv[2]!) as Order;
const readers = readersOf(order.readers);
const bench = new Bench();
if ("file" in order) {
  const input = {
    reader: readers[0]!,
    bytes: new Uint8Array(readFileSync(order.file)),
    useSeed: order.useSeed,
  };
  await tryOne(0, () => input, bench);
} else {
  for (const reader of readers) reader.seeds();
  for (let index = order.from; index < order.to; index++) {
    await tryOne(index, () => inputAt(readers, order.seed, index), bench);
    if (isWorn() && index + 1 < order.to) {
      tell({ worn: index + 1 });
      break;
    }
  }
}
process.exit(0);
