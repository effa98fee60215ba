import { describe, expect, it } from "vitest";
import { PRINTED } from "../conformance/printed.ts";
import { judge, summary, table, totals, withTable, type Digests, type Row } from "./report.ts";

/** A digest of its own for each name: 0000000000000000, 1111111111111111 … */
const expected = Object.fromEntries(PRINTED.map((name, i) => [name, String(i).repeat(16)])) as Digests;
const digests = Object.entries(expected).map(([name, digest]) => `${name} ${digest}`);
const wrong = digests.map((line) => line.replace("1111111111111111", "fedcba9876543210"));

describe("judge", () => {
  it("reads the lines of a suite that passes", () => {
    const verdict = judge("suite", ["12 passed, 0 failed", ...digests], expected);
    expect(verdict).toEqual({ passed: 12, failed: 0, digests: expected, problems: [] });
  });

  it("takes the failed cases over, with what they say", () => {
    const lines = ["FAIL dense: expected 1, got 2", "11 passed, 1 failed", ...digests];
    const verdict = judge("suite", lines, expected);
    expect(verdict).toMatchObject({ passed: 11, failed: 1, problems: ["FAIL dense: expected 1, got 2"] });
  });

  it("counts a failure that the closing line keeps quiet about", () => {
    const verdict = judge("suite", ["FAIL dense: no", "12 passed, 0 failed", ...digests], expected);
    expect(verdict.failed).toBe(1);
  });

  it("counts a wrong digest as a failure", () => {
    const verdict = judge("suite", ["12 passed, 0 failed", ...wrong], expected);
    expect(verdict).toMatchObject({ passed: 12, failed: 1, digests: { weights: "fedcba9876543210" } });
    expect(verdict.problems).toEqual(["weights: expected the digest 1111111111111111, got fedcba9876543210"]);
  });

  it("counts each digest that is missing or is none", () => {
    const verdict = judge("suite", ["12 passed, 0 failed", "operators 0123"], expected);
    expect(verdict.failed).toBe(PRINTED.length);
    expect(verdict.digests).toEqual({});
    expect(verdict.problems[0]).toBe("operators: expected the digest 0000000000000000, got none");
  });

  it.each([
    ["has no closing line", digests, JSON.stringify(digests.at(-1))],
    ["says nothing", [], '""'],
  ])("is not content with a suite that %s", (_, lines, last) => {
    const { passed, failed, problems } = judge("suite", lines, expected);
    expect(passed).toBe(0);
    expect(failed).toBeGreaterThan(0);
    expect(problems).toContain(`suite: expected a line "N passed, N failed", got ${last}`);
  });

  it("is not content with a suite without a case", () => {
    expect(judge("suite", ["0 passed, 0 failed", ...digests], expected).failed).toBe(1);
  });

  it("counts digests alone as one case", () => {
    expect(judge("digests", digests, expected)).toMatchObject({ passed: 1, failed: 0 });
    expect(judge("digests", wrong, expected)).toMatchObject({ passed: 0, failed: 1 });
    expect(judge("digests", [], expected)).toMatchObject({ passed: 0, failed: 1 });
  });
});

const nothing = { passed: 0, failed: 0, digests: {}, problems: [] };
const rows: readonly Row[] = [
  {
    ...judge("suite", ["12 passed, 0 failed", "threads 2", ...digests], expected),
    name: "One",
    kind: "suite",
    version: "1.0 (V8 11.3)",
    coldStart: 31.4,
  },
  {
    ...judge("suite", ["FAIL dense: no", "11 passed, 1 failed", "threads 1: no workers", ...wrong], expected),
    name: "Two",
    kind: "suite",
    version: "2",
  },
  { ...judge("digests", digests, expected), name: "Three", kind: "digests", version: "3" },
  { ...judge("digests", wrong, expected), name: "Four", kind: "digests", version: "4" },
  { ...nothing, name: "Five", kind: "suite", absent: "npm ci" },
  { ...nothing, name: "Six", kind: "suite", failed: 1, problems: ["suite: expected an end"] },
];

describe("totals", () => {
  it("adds up the cases, and passes absent runtimes over", () => {
    expect(totals(rows, false)).toEqual({ passed: 24, failed: 4 });
  });

  it("counts an absent runtime as a failure where all have to be there", () => {
    expect(totals(rows, true)).toEqual({ passed: 24, failed: 5 });
  });
});

/** The first halves of the digests, with and without a wrong one. */
const SHOWN = PRINTED.map((_, i) => String(i).repeat(8)).join(" ");
const DIFFERENT = `${SHOWN.replace("11111111", "fedcba98")} differ`;
const [NAMES, RULE, NONE, GOOD, BAD] = [PRINTED.join(", "), "", "", SHOWN, DIFFERENT].map((cell, i) =>
  cell.padEnd(Math.max(PRINTED.join(", ").length, DIFFERENT.length), i === 1 ? "-" : " "),
);
const TABLE = `
| runtime | version        | cases               | ${NAMES} | threads | cold start |
| ------- | -------------- | ------------------- | ${RULE} | ------- | ---------- |
| One     | 1.0 (V8 11.3)  | 12 passed           | ${GOOD} | 2       | 31 ms      |
| Two     | 2              | 11 passed, 2 failed | ${BAD} | 1       |            |
| Three   | 3              | digests only        | ${GOOD} |         |            |
| Four    | 4              | failed              | ${BAD} |         |            |
| Five    | absent: npm ci |                     | ${NONE} |         |            |
| Six     |                | 0 passed, 1 failed  | ${NONE} |         |            |
`.trim();

describe("table", () => {
  it("is aligned", () => {
    expect(table({ expected, rows })).toBe(TABLE);
  });

  it("goes between its markers", () => {
    const text = "a\n\n<!-- matrix -->\n\nold\n\n<!-- /matrix -->\n\nb\n";
    const replaced = withTable(text, { expected, rows });
    expect(replaced).toBe(`a\n\n<!-- matrix -->\n\n${TABLE}\n\n<!-- /matrix -->\n\nb\n`);
    expect(withTable(replaced, { expected, rows })).toBe(replaced);
  });

  it("wants its markers", () => {
    expect(() => withTable("a\n", { expected, rows })).toThrow(
      "docs/runtimes.md: expected the lines <!-- matrix -->",
    );
  });
});

describe("summary", () => {
  it("says what was found, and every problem", () => {
    expect(rows.map((row) => summary(row, expected))).toEqual([
      `12 passed, ${SHOWN}, threads 2, cold start 31 ms`,
      `11 passed, 2 failed, ${DIFFERENT}, threads 1: no workers\n  FAIL dense: no\n` +
        "  weights: expected the digest 1111111111111111, got fedcba9876543210",
      `digests only, ${SHOWN}`,
      `failed, ${DIFFERENT}\n  weights: expected the digest 1111111111111111, got fedcba9876543210`,
      "absent: npm ci",
      "0 passed, 1 failed\n  suite: expected an end",
    ]);
  });
});
