import { describe, expect, it } from "vitest";
import {
  argmaxRows,
  confusion,
  correctCount,
  duration,
  fileSize,
  formatConfusion,
  percent,
} from "../../src/cli/report.ts";

describe("report", () => {
  it("writes numbers for people", () => {
    expect([0, 0.9912, 1].map(percent)).toEqual(["0.00 %", "99.12 %", "100.00 %"]);
    const seconds = [0, 8.44, 9.96, 59.4, 59.6, 185];
    expect(seconds.map(duration).join(", ")).toBe("0.0 s, 8.4 s, 10 s, 59 s, 1 min 0 s, 3 min 5 s");
    expect([812, 178_400, 2_300_000].map(fileSize)).toEqual(["812 bytes", "178.4 kB", "2.3 MB"]);
  });

  it("takes the first of equal scores", () => {
    expect(argmaxRows(Float32Array.of(0, 2, 2, -3, -1, -2), 3)).toEqual(Int32Array.of(1, 1));
  });

  it("counts and aligns the confusion table", () => {
    const table = confusion(Int32Array.of(0, 0, 1, 0), Int32Array.of(0, 1, 1, 0), 3);
    expect(table).toEqual([
      [2, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
    expect(correctCount(table)).toBe(3);
    expect(formatConfusion(table, ["0", "1", "2"]).split("\n")).toEqual([
      "true    0   1   2     found",
      "   0    2   1   ·   66.67 %",
      "   1    ·   1   ·  100.00 %",
      "   2    ·   ·   ·         –",
    ]);
  });

  it("names classes in front of rows, and lists the mistakes of many classes", () => {
    const named = formatConfusion(
      [
        [2, 1],
        [0, 12],
      ],
      ["cat", "a dog of a name that is very long"],
    );
    expect(named.split("\n")).toEqual([
      "true                           0   1     found",
      " 0 cat                         2   1   66.67 %",
      " 1 a dog of a name that is…    ·  12  100.00 %",
    ]);
    const names = Array.from({ length: 21 }, (_, k) => `class ${k}`);
    const table = names.map((_, truth) => names.map((__, taken) => 30 * Number(taken === truth)));
    expect(formatConfusion(table, names)).toBe("none");
    table[3]![4] = 2;
    table[20]![0] = 11;
    expect(formatConfusion(table, names).split("\n")).toEqual([
      "11 of 41 class 20 taken for class 0",
      " 2 of 32 class 3 taken for class 4",
    ]);
  });
});
