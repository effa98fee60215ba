/** The documents of the package, as the tests of this folder read them. */
import { readdirSync, readFileSync } from "node:fs";
import { root } from "../support/tarball.ts";

/** README, CONTRIBUTING and all pages below `docs/`, as paths from the root of the repository. */
export const PAGES: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...readdirSync(`${root}/docs`, { recursive: true, encoding: "utf8" })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".md"))
    .sort(),
];

export const readPage = (page: string): string => readFileSync(`${root}/${page}`, "utf8");

export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page that name their language, in order. */
export function blocksOf(page: string): Block[] {
  return [...readPage(page).matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

export interface Example {
  readonly page: string;
  /** The page and the example's number on it, counted from 1. */
  readonly name: string;
  readonly code: string;
  /** The name of a file in its first line, as a comment: such files make a program, which a test of its own runs. */
  readonly file: string | undefined;
  /** The output that the page claims: the block of plain text right behind the example, if there is one. */
  readonly printed: string | undefined;
}

/** The code of the files of a page, by their names. */
export const filesOf = (page: string): ReadonlyMap<string, string> =>
  new Map(examplesOf(page).flatMap(({ file, code }) => (file === undefined ? [] : [[file, code] as const])));

/** The examples in TypeScript of a page. */
export function examplesOf(page: string): Example[] {
  const blocks = blocksOf(page);
  const examples = blocks.flatMap(({ language, text }, i) => {
    const next = blocks[i + 1];
    return language === "ts"
      ? [
          {
            code: text,
            file: /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1],
            printed: next?.language === "text" ? next.text : undefined,
          },
        ]
      : [];
  });
  return examples.map((example, i) => ({ page, name: `${page}, example ${i + 1}`, ...example }));
}
