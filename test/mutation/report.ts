import { readFileSync } from "node:fs";

/** The fate of a mistake. `stopped`: it ran into a limit of time, which notices it as well. */
export type Verdict = "noticed" | "stopped" | "lived" | "equivalent" | "invalid";

export interface Outcome {
  readonly file: string;
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly verdict: Verdict;
}

/** A mistake that changes nothing which anybody could see. */
interface Equivalent {
  readonly file: string;
  /** The line as it is and as it was made, without the space around it; several lines by the first. */
  readonly original: string;
  readonly mutated: string;
  readonly reason: string;
}

const EQUIVALENT = JSON.parse(
  readFileSync(new URL("equivalent.json", import.meta.url), "utf8"),
) as readonly Equivalent[];

/** The lines of a file that a mistake touches, before and after. */
function difference(mutant: Omit<Outcome, "verdict">): { line: number; before: string; after: string } {
  const { file, start, end, replacement } = mutant;
  const text = readFileSync(file, "utf8");
  const first = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", end);
  const last = newline < 0 ? text.length : newline;
  const after = text.slice(first, start) + replacement + text.slice(end, last);
  return { line: text.slice(0, first).split("\n").length, before: text.slice(first, last), after };
}

/** Whether a mistake is in the list of those that change nothing. */
export function isEquivalent(mutant: Omit<Outcome, "verdict">): boolean {
  const { before, after } = difference(mutant);
  return EQUIVALENT.some(
    ({ file, original, mutated }) =>
      file === mutant.file && original === before.trim() && mutated === after.trim(),
  );
}

const marked = (mark: string, text: string): string =>
  text
    .split("\n")
    .map((line) => `${mark} ${line}\n`)
    .join("");

/** One mistake with its verdict; as a difference when it lived. */
export function outcomeText(outcome: Outcome): string {
  const { line, before, after } = difference(outcome);
  const head = `${outcome.verdict.padEnd(10)} ${outcome.file}:${line} ${outcome.operator}\n`;
  return outcome.verdict === "lived" ? head + marked("-", before) + marked("+", after) : head;
}

const rate = (noticed: number, lived: number): string =>
  noticed + lived > 0 ? `${((100 * noticed) / (noticed + lived)).toFixed(1)} %` : "none counts";

function counted(outcomes: readonly Outcome[]): { text: string; lived: number; noticed: number } {
  const count = (verdict: Verdict): number =>
    outcomes.filter((outcome) => outcome.verdict === verdict).length;
  const [noticed, stopped, lived] = [count("noticed"), count("stopped"), count("lived")];
  const all = noticed + stopped;
  const text =
    `${outcomes.length} mistakes: ${all} noticed (${stopped} by time), ${lived} lived, ` +
    `${count("equivalent")} equivalent, ${count("invalid")} do not compile; ${rate(all, lived)}`;
  return { text, lived, noticed: all };
}

/** The counts, by folder and of all; and whether at least `share` of those that count were noticed. */
export function summary(outcomes: readonly Outcome[], share: number): { text: string; enough: boolean } {
  const folders = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const folder = outcome.file.split("/").slice(0, -1).join("/");
    folders.set(folder, [...(folders.get(folder) ?? []), outcome]);
  }
  const lines = [...folders].sort().map(([folder, of]) => `${folder}: ${counted(of).text}\n`);
  const { text, lived, noticed } = counted(outcomes);
  return { text: `${lines.join("")}${text}`, enough: noticed >= share * (noticed + lived) };
}
