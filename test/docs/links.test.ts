/** Links between the pages lead to files and headings that are there, and the two first pages stay short. */
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";
import { PAGES, readPage } from "./pages.ts";

const ALL = [...PAGES, "examples/networks/README.md", "examples/edge-worker/README.md"];

/** A page without its code. */
const prose = (text: string): string => text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "");

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

function anchorsOf(text: string): string[] {
  const withoutCode = text.replaceAll(/^```.*?^```$/gms, "");
  return [...withoutCode.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => anchorOf(heading!));
}

/** Targets of links that lead to no file, or to no heading of one. */
function broken(page: string, text: string): string[] {
  const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path, anchor] = target.split("#") as [string, string?];
    const file = path === "" ? page : posix.join(posix.dirname(page), path);
    if (!existsSync(`${root}/${file}`)) return true;
    if (anchor === undefined) return false;
    return !anchorsOf(file === page ? text : readFileSync(`${root}/${file}`, "utf8")).includes(anchor);
  });
}

describe("relative links resolve:", () => {
  it.each(ALL)("%s", (page) => {
    expect(broken(page, readPage(page))).toEqual([]);
  });

  it("and one that does not is found", () => {
    const text = "# A heading: of `two`\n[a](docs/none.md) [b](#a-heading-of-two) [c](#none) [d](LICENSE)";
    expect(broken("README.md", text)).toEqual(["docs/none.md", "#none"]);
  });
});

it("every page of docs/ is reached from README or CONTRIBUTING", () => {
  const first = readPage("README.md") + readPage("CONTRIBUTING.md");
  const pages = PAGES.filter((page) => page.startsWith("docs/"));
  expect(pages.filter((page) => !first.includes(`](${page}`))).toEqual([]);
});

it.each([
  ["README.md", 10_000],
  ["CONTRIBUTING.md", 6000],
])("%s takes at most %i bytes", (page, most) => {
  expect(Buffer.byteLength(readPage(page))).toBeLessThanOrEqual(most);
});
