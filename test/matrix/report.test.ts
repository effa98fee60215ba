import { describe, expect, it } from "vitest";
import { judge, summary, table, totals, withTable, type Row } from "./report.ts";

const expected = { operators: "0123456789abcdef", weights: "fedcba9876543210" };
const digests = ["operators 0123456789abcdef", "weights fedcba9876543210"];
const wrong = ["operators 0123456789abcdef", "weights 0000000000000000"];

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
    expect(verdict).toMatchObject({ passed: 12, failed: 1, digests: { weights: "0000000000000000" } });
    expect(verdict.problems).toEqual(["weights: expected the digest fedcba9876543210, got 0000000000000000"]);
  });

  it("counts each digest that is missing or is none", () => {
    const verdict = judge("suite", ["12 passed, 0 failed", "operators 0123"], expected);
    expect(verdict.failed).toBe(2);
    expect(verdict.digests).toEqual({});
    expect(verdict.problems[0]).toBe("operators: expected the digest 0123456789abcdef, got none");
  });

  it.each([
    ["has no closing line", digests, '"weights fedcba9876543210"'],
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

const TABLE = `
| runtime | version        | cases               | operators, weights       | threads | cold start |
| ------- | -------------- | ------------------- | ------------------------ | ------- | ---------- |
| One     | 1.0 (V8 11.3)  | 12 passed           | 01234567 fedcba98        | 2       | 31 ms      |
| Two     | 2              | 11 passed, 2 failed | 01234567 00000000 differ | 1       |            |
| Three   | 3              | digests only        | 01234567 fedcba98        |         |            |
| Four    | 4              | failed              | 01234567 00000000 differ |         |            |
| Five    | absent: npm ci |                     |                          |         |            |
| Six     |                | 0 passed, 1 failed  |                          |         |            |
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
      "12 passed, 01234567 fedcba98, threads 2, cold start 31 ms",
      "11 passed, 2 failed, 01234567 00000000 differ, threads 1: no workers\n  FAIL dense: no\n" +
        "  weights: expected the digest fedcba9876543210, got 0000000000000000",
      "digests only, 01234567 fedcba98",
      "failed, 01234567 00000000 differ\n  weights: expected the digest fedcba9876543210, got 0000000000000000",
      "absent: npm ci",
      "0 passed, 1 failed\n  suite: expected an end",
    ]);
  });
});
