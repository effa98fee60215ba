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
});
