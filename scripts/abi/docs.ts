/** Docstrings of the kernels, and the tags in them. */

/** The tags that the build reads, and what stands behind them on their line. */
const TAG = /(?:^|\s)@(abi|work|split|size|optional)\b[ \t]*(.*)$/;

export interface Doc {
  /** The lines without the tags. */
  readonly lines: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
}

/** Only these may stand between a docstring and its declaration: white space, line comments, decorators. */
const BETWEEN = /^(\s|\/\/[^\n]*\n|@\w+)*$/;

/** The docstring in front of what starts at `start`; `comments` are all of the file's, by their ends. */
export function docOf(text: string, start: number, comments: ReadonlyMap<number, string>): Doc {
  const end = Math.max(
    ...[...comments.keys()].filter((at) => at <= start && comments.get(at)!.startsWith("/**")),
  );
  if (!Number.isFinite(end) || !BETWEEN.test(text.slice(end, start))) return { lines: [], tags: new Map() };
  const tags = new Map<string, string>();
  const lines = comments
    .get(end)!
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .map((line) =>
      line.replace(TAG, (_, tag: string, value: string) => {
        tags.set(tag, value.trim());
        return "";
      }),
    );
  return { lines: trimmed(lines), tags };
}

/** Without empty lines at either end. */
function trimmed(lines: readonly string[]): string[] {
  const filled = lines.map((line) => line.trim() !== "");
  const [first, last] = [filled.indexOf(true), filled.lastIndexOf(true)];
  return first < 0 ? [] : lines.slice(first, last + 1);
}

/** The docstring as it stands in TypeScript, each line behind `indent`; nothing when there is none. */
export function docText({ lines }: Doc, indent = ""): string {
  if (lines.length === 0) return "";
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${`${indent} * ${line}`.trimEnd()}\n`).join("")}${indent} */\n`;
}
