/** The summary of a run, for the terminal and for docs/speed.md. */
import type { Outcome } from "./goals.ts";
import type { Result } from "./result.ts";

export interface Report {
  readonly machine: string;
  readonly node: string;
  /** The versions of the peers. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly results: readonly Result[];
  readonly outcomes: readonly Outcome[];
  /** The table of whole networks; "" when they were not timed. */
  readonly networks: string;
}

const times = (ratio: number): string => `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(0)}×`;

/** The summary for the terminal. */
export function outcomeLines(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ work, beside, goal, floor, mean, worst, reached, below, cases }) => [
    `${reached ? "reached" : "missed "}  ${work} beside ${beside}: ${times(mean)} (goal ${times(goal)}) over ${cases} cases, ` +
      `worst ${times(worst.ratio)}${floor === undefined ? "" : ` (floor ${times(floor)})`}: ${worst.name}`,
    ...below.slice(0, 12).map(({ name, ratio }) => `           below the floor: ${name} ${times(ratio)}`),
  ]);
}

/** The table of docs/speed.md. */
export function tableOf({ machine, node, versions, outcomes }: Report): string {
  const row = (...cells: string[]): string => `| ${cells.join(" | ")} |`;
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on one core of: ${machine}, Node ${node}, beside ${peers.join(", ")}. Above 1× this package is ahead;`,
    "the mean is the geometric one.",
    "",
    row("work", "beside", "mean", "worst shape"),
    row("---", "---", "---", "---"),
    // Those of whole networks have a table of their own.
    ...outcomes
      .filter(({ kind }) => kind !== "network")
      .map(({ work, beside, mean, worst, cases }) =>
        row(work, beside, times(mean), cases === 1 ? "" : `${times(worst.ratio)} (${worst.name})`),
      ),
  ].join("\n");
}

/** `text` with what stands between the marks of that name replaced. @throws Error when a mark is missing. */
export function replaceMarked(text: string, replacement: string, name = "benchmark"): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [begin, end] = [text.indexOf(open), text.indexOf(close)];
  if (begin < 0 || end < begin) throw new Error(`docs/speed.md: expected the lines ${open} and ${close}`);
  return `${text.slice(0, begin + open.length)}\n\n${replacement}\n\n${text.slice(end)}`;
}
