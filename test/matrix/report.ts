/** Reads the lines of the programs, and makes the table of all runtimes. */
import { PRINTED } from "../conformance/printed.ts";
import type { Launcher } from "./launcher.ts";

export type Digests = Readonly<Record<(typeof PRINTED)[number], string>>;

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  /** The digests, as far as they were printed. */
  readonly digests: Partial<Digests>;
  /** The threads of `load({ threads: 2 })`: `2`, or `1: why`. */
  readonly threads?: string;
  readonly problems: readonly string[];
}

export interface Row extends Pick<Launcher, "name" | "kind">, Verdict {
  readonly version?: string;
  /** The way to install it, when it is not there. */
  readonly absent?: string;
  /** In milliseconds. */
  readonly coldStart?: number;
}

/** The content of `matrix.json`. */
export interface Matrix {
  readonly expected: Digests;
  readonly rows: readonly Row[];
}

/** The digests that a kind of row has. */
const printedBy = (kind: Launcher["kind"]): readonly (typeof PRINTED)[number][] =>
  kind === "moved" ? ["resumed"] : PRINTED;

function valueOf(lines: readonly string[], pattern: RegExp): string | undefined {
  return lines.map((line) => pattern.exec(line)?.[1]).findLast((value) => value !== undefined);
}

/** Reads the lines of the suite or of the digests. Each wrong or missing digest counts as a failure of its own. */
export function judge(kind: Launcher["kind"], lines: readonly string[], expected: Digests): Verdict {
  const problems: string[] = [];
  const digests: Partial<Record<keyof Digests, string>> = {};
  for (const name of printedBy(kind)) {
    const digest = valueOf(lines, new RegExp(`^${name} ([0-9a-f]{16})$`));
    if (digest !== undefined) digests[name] = digest;
    if (digest !== expected[name]) {
      problems.push(`${name}: expected the digest ${expected[name]}, got ${digest ?? "none"}`);
    }
  }
  if (kind !== "suite") {
    const failed = problems.length > 0 ? 1 : 0;
    return { passed: 1 - failed, failed, digests, problems };
  }
  const failures = lines.filter((line) => line.startsWith("FAIL "));
  const passed = Number(valueOf(lines, /^(\d+) passed, \d+ failed$/) ?? 0);
  const failed = Number(valueOf(lines, /^\d+ passed, (\d+) failed$/) ?? 0);
  if (passed + failed === 0) {
    problems.push(`suite: expected a line "N passed, N failed", got ${JSON.stringify(lines.at(-1) ?? "")}`);
  }
  const all = Math.max(failed, failures.length) + problems.length;
  const threads = valueOf(lines, /^threads (.+)$/);
  return {
    passed,
    failed: all,
    digests,
    ...(threads === undefined ? {} : { threads }),
    problems: [...failures, ...problems],
  };
}

/** The cases of all runtimes; an absent runtime is a failure where `complete` says that all have to be there. */
export function totals(rows: readonly Row[], complete: boolean): { passed: number; failed: number } {
  let [passed, failed] = [0, 0];
  for (const row of rows) {
    passed += row.passed;
    failed += row.absent !== undefined && complete ? 1 : row.failed;
  }
  return { passed, failed };
}

function cases({ kind, passed, failed, absent }: Row): string {
  if (absent !== undefined) return "";
  if (kind !== "suite") return failed > 0 ? "failed" : kind === "moved" ? "one run" : "digests only";
  return failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`;
}

/** The first half of each digest, which is enough to compare them by eye. */
function bits({ kind, digests }: Row, expected: Digests): string {
  const printed = printedBy(kind);
  const shown = PRINTED.flatMap((name) => digests[name]?.slice(0, 8) ?? []);
  const differ = shown.length > 0 && printed.some((name) => digests[name] !== expected[name]);
  return [...shown, ...(differ ? ["differ"] : [])].join(" ");
}

function coldStart({ coldStart: milliseconds }: Row): string {
  return milliseconds === undefined ? "" : `${Math.round(milliseconds)} ms`;
}

/** The table, aligned, in Markdown. */
export function table({ expected, rows }: Matrix): string {
  const head = ["runtime", "version", "cases", PRINTED.join(", "), "threads", "cold start"];
  const cells = rows.map((row) => [
    row.name,
    row.absent === undefined ? (row.version ?? "") : `absent: ${row.absent}`,
    cases(row),
    bits(row, expected),
    row.threads?.split(":")[0] ?? "",
    coldStart(row),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column]!.length)));
  const rule = widths.map((width) => "-".repeat(width));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [head, rule, ...cells].map(line).join("\n");
}

/** The lines about a runtime when it is done. */
export function summary(row: Row, expected: Digests): string {
  if (row.absent !== undefined) return `absent: ${row.absent}`;
  const parts = [
    cases(row),
    bits(row, expected),
    row.threads && `threads ${row.threads}`,
    coldStart(row) && `cold start ${coldStart(row)}`,
  ];
  return [parts.filter(Boolean).join(", "), ...row.problems].join("\n  ");
}

const MARKERS = ["<!-- matrix -->", "<!-- /matrix -->"] as const;

/** A text with the table between its two markers. @throws Error unless the text has them. */
export function withTable(text: string, matrix: Matrix): string {
  const [begin, end] = MARKERS.map((marker) => text.indexOf(marker)) as [number, number];
  if (begin < 0 || end < begin) {
    throw new Error(`docs/runtimes.md: expected the lines ${MARKERS.join(" and ")}, got none`);
  }
  return `${text.slice(0, begin + MARKERS[0].length)}\n\n${table(matrix)}\n\n${text.slice(end)}`;
}
