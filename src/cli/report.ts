import { escaped } from "../errors.ts";

/** Characters of a name from a file that are shown. */
const LONGEST_NAME = 120;

/** `0.9912` → `99.12 %`. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** Seconds as a person reads them: `8.4 s`, `42 s`, `3 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Bytes as a person reads them: `812 bytes`, `178.4 kB`, `2.3 MB`. */
export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** 3,643,957 → `3.64 M`. */
export function quantity(value: number): string {
  if (value < 1e3) return String(value);
  const [unit, name] = value < 1e6 ? [1e3, "k"] : value < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${(value / unit).toPrecision(3)} ${name}`;
}

/** The class of the largest score in each row of `[n, classes]`; the first one on a tie. */
export function argmaxRows(scores: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: scores.length / classes }, (_, row) => {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if (scores[row * classes + k]! > scores[row * classes + best]!) best = k;
    }
    return best;
  });
}

/** `table[truth][predicted]`: how many images of one class were taken for another. */
export function confusion(labels: Int32Array, predicted: Int32Array, classes: number): number[][] {
  const table = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  labels.forEach((label, i) => {
    table[label]![predicted[i]!]! += 1;
  });
  return table;
}

/** Counts the images on the table's diagonal. */
export function correctCount(table: readonly (readonly number[])[]): number {
  return table.reduce((sum, row, i) => sum + row[i]!, 0);
}

/** Classes up to which the table is a square; of more the most frequent mistakes are listed. */
const MOST_COLUMNS = 20;

/** Characters of a class's name that are shown in front of a row. */
const LONGEST_CLASS = 24;

/** How the table is to be read. */
export function confusionTitle(names: readonly string[]): string {
  return names.length > MOST_COLUMNS
    ? "held-out images: the most frequent mistakes"
    : "held-out images: a row for each true class, a column for each answer";
}

function className(name: string): string {
  const text = escaped(name);
  return text.length <= LONGEST_CLASS ? text : `${text.slice(0, LONGEST_CLASS - 1)}…`;
}

/** How many images of a class were taken for another. */
export interface Confusion {
  readonly truth: number;
  readonly taken: number;
  readonly count: number;
  /** Images of the class. */
  readonly images: number;
}

/** The largest counts beside the diagonal, the largest first. */
export function largestConfusions(table: readonly (readonly number[])[], most: number): Confusion[] {
  const all = table.flatMap((row, truth) => {
    const images = row.reduce((sum, each) => sum + each, 0);
    return row.flatMap((count, taken) =>
      count > 0 && taken !== truth ? [{ truth, taken, count, images }] : [],
    );
  });
  return all.sort((a, b) => b.count - a.count).slice(0, most);
}

function confusionLines(table: readonly (readonly number[])[], names: readonly string[]): string {
  const shown = largestConfusions(table, MOST_COLUMNS);
  const width = String(shown[0]?.count ?? "").length;
  const lines = shown.map(({ truth, taken, count, images }) => {
    const [own, other] = [className(names[truth]!), className(names[taken]!)];
    return `${String(count).padStart(width)} of ${images} ${own} taken for ${other}`;
  });
  return lines.length === 0 ? "none" : lines.join("\n");
}

/**
 * The confusion table as aligned lines: a row for each true class, with the share of it that was found. Columns have the
 * numbers of classes, which stand before the names of rows that are no numbers themselves.
 */
export function formatConfusion(table: readonly (readonly number[])[], names: readonly string[]): string {
  if (names.length > MOST_COLUMNS) return confusionLines(table, names);
  const width = Math.max(3, ...table.flat().map((count) => String(count).length)) + 1;
  const isNumbered = names.every((name, k) => name === String(k));
  const heads = names.map((name, k) =>
    isNumbered ? name.padStart(4) : `${String(k).padStart(2)} ${className(name)}`,
  );
  const widest = Math.max(4, ...heads.map(({ length }) => length));
  const cells = (values: readonly (string | number)[]): string =>
    values.map((value) => String(value).padStart(width)).join("");
  const lines = [`${"true".padEnd(widest)} ${cells([...table.keys()])}     found`];
  table.forEach((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const counts = cells(row.map((count) => (count === 0 ? "·" : count)));
    const found = total === 0 ? "–" : percent(row[truth]! / total);
    lines.push(`${heads[truth]!.padEnd(widest)} ${counts}  ${found.padStart(8)}`);
  });
  return lines.join("\n");
}

/** Rows as aligned columns under a rule; each letter of `sides` says whether a column stands left or right. */
export function formatTable(rows: readonly (readonly string[])[], sides: string): string {
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]!.length), 0),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, i) => (sides[i] === "r" ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0]!, rule, ...lines.slice(1), rule].join("\n");
}

/** A name from a file, on one line and not too long for a table. */
export function shortName(name: string): string {
  const text = escaped(name.slice(0, LONGEST_NAME));
  return name.length <= LONGEST_NAME && text.length <= LONGEST_NAME
    ? text
    : `${text.slice(0, LONGEST_NAME - 1)}…`;
}
