/**
 * The constants of the kernels' sources, so that sizes in tests follow when they are tuned: a test of a second way that a
 * size leads to would else miss it in silence.
 */
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../../assembly/", import.meta.url);

const sources = new Map(
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, readFileSync(new URL(path, folder), "utf8")] as const),
);

/** The integer that `name` stands for in a file of `assembly/`: a number, a name, or products and sums of such. */
export function constant(file: string, name: string): number {
  const source = sources.get(file);
  if (source === undefined) throw new Error(`${file}: no such file in assembly/`);
  const found = new RegExp(`\\bconst ${name}: i32 = ([^;]+);`).exec(source);
  if (!found) throw new Error(`${file}: no constant ${name}`);
  const product = (text: string): number =>
    text.split("*").reduce((value, factor) => value * atom(file, factor.trim()), 1);
  return found[1]!.split("+").reduce((sum, term) => sum + product(term), 0);
}

function atom(file: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (!/^\w+$/.test(text)) throw new Error(`${file}: cannot tell ${text}`);
  // Its own, or an imported one, of which there is one by that name.
  const files = [file, ...[...sources.keys()].filter((each) => each !== file)];
  const home = files.find((each) => new RegExp(`\\bconst ${text}: i32 =`).test(sources.get(each)!));
  if (!home) throw new Error(`${file}: no constant ${text}`);
  return constant(home, text);
}
