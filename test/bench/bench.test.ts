/** The parts of the benchmark, except its timing. */
import { describe, expect, it } from "vitest";
import { evaluate, type Goal } from "../../bench/goals.ts";
import { importedTable } from "../../bench/imported/table.ts";
import { lineOf, ratioTo, speedOf, type Result } from "../../bench/result.ts";
import { flopsOf, NETWORKS, outputSize, parseShapes, shapesOf, shapeText } from "../../bench/shapes.ts";
import type { Start } from "../../bench/suites/imported.ts";
import { outcomeLines, replaceMarked, tableOf } from "../../bench/table.ts";

describe("shapes", () => {
  it("of all networks are read", () => {
    expect(NETWORKS.length).toBe(7);
    for (const network of NETWORKS) expect(shapesOf(network).length).toBeGreaterThan(0);
    expect(shapesOf("lenet-5").map(({ n }) => n)).toEqual([64, 64]);
  });

  // The multiplications and additions that the authors of the networks give, in billions, without the dense layers.
  it.each([
    ["resnet-18", 3.63],
    ["resnet-50", 8.17],
    ["vgg-16", 30.69],
    ["mobilenet-v2", 0.6],
  ])("of %s add up to %f GFLOP", (network, expected) => {
    const sum = shapesOf(network).reduce((total, shape) => total + shape.times * flopsOf(shape), 0);
    expect(sum / 1e9).toBeCloseTo(expected, 1);
  });

  it("are written with their sizes", () => {
    const [shape] = parseShapes("a.txt", "batch 2\n# comment\n7 8 3  3 4  2 1 1  5 # why");
    expect(shape).toMatchObject({ network: "a", n: 2, h: 7, w: 8, c: 3, filters: 4, times: 5 });
    expect(outputSize(shape!)).toEqual([4, 4]);
    expect(flopsOf(shape!)).toBe(2 * 2 * 16 * 27 * 4);
    expect(shapeText(shape!)).toBe("2×7×8×3 3×3×4 s2");
  });

  it.each([
    ["7 8 3", "a.txt: line 2: expected h w c kernelSize filters strides padding groups times, got 7 8 3"],
    ["7 8 3 3 4 2 x 1 1", "a.txt: line 2: expected whole numbers, got 7 8 3 3 4 2 x 1 1"],
    ["7 8 3 3 4 0 1 1 1", "a.txt: line 2: expected whole numbers, got 7 8 3 3 4 0 1 1 1"],
    ["batch 0", "a.txt: line 2: expected whole numbers, got batch 0"],
    ["batch", "a.txt: line 2: expected h w c"],
  ])("refuse %s with file and line", (line, message) => {
    expect(() => parseShapes("a.txt", `# heading\n${line}`)).toThrow(message);
  });
});

const result = (name: string, ours: number, theirs: number): Result => ({
  suite: "conv2d",
  name,
  kind: "conv",
  networks: [],
  flops: 4e6,
  ms: { im2row: ours, peer: theirs },
  errors: { peer: 1e-7 },
  peak: 4,
});

describe("results", () => {
  it("tell speed, ratio and error in a line", () => {
    const one = result("a", 2, 3);
    expect(speedOf(one)).toBe(2);
    expect(ratioTo(one, "peer")).toBe(1.5);
    expect(ratioTo(one, "absent")).toBeUndefined();
    expect(lineOf(one)).toMatch(/^a +2\.0 GF\/s {2}peer 1\.3 \(1\.50×\) {2}0\.50 of peak {2}1\.0e-7 ok$/);
  });
});

const GOAL: Goal = {
  work: "conv",
  beside: "peer",
  goal: 2,
  floor: 1.5,
  ratio: (one) => ratioTo(one, "peer"),
};

describe("goals", () => {
  it("take the geometric mean and the worst case", () => {
    const [outcome] = evaluate([result("a", 1, 2), result("b", 1, 8)], [GOAL]);
    expect(outcome).toMatchObject({ cases: 2, reached: true, below: [], worst: { name: "a", ratio: 2 } });
    expect(outcome!.mean).toBeCloseTo(4);
  });

  it("are missed by the mean or by a case below the floor", () => {
    expect(evaluate([result("a", 1, 1.6)], [GOAL])[0]!.reached).toBe(false);
    const [outcome] = evaluate([result("a", 1, 1.4), result("b", 1, 80)], [GOAL]);
    expect(outcome).toMatchObject({ reached: false, below: [{ name: "a", ratio: 1.4 }] });
    expect(outcomeLines([outcome!]).join("\n")).toContain("below the floor: a 1.40×");
  });

  it("without a case are left out", () => {
    expect(evaluate([], [GOAL])).toEqual([]);
  });
});

describe("the table of docs/speed.md", () => {
  it("names the machine and the peers", () => {
    const outcomes = evaluate([result("a", 1, 2), result("b", 1, 80)], [GOAL]);
    const versions = { peer: "1.2" };
    const report = { machine: "M", node: "v20", versions, rounds: 1, results: [], outcomes, networks: "" };
    const table = tableOf(report);
    expect(table).toContain("one core of: M, Node v20, beside peer 1.2");
    expect(table).toContain("| conv | peer | 13× | 2.00× (a) |");
  });

  it("leaves whole networks to their own", () => {
    const outcomes = evaluate([result("a", 1, 2)], [GOAL, { ...GOAL, kind: "network", work: "Net" }]);
    expect(outcomes.length).toBe(2);
    const report = {
      machine: "M",
      node: "v20",
      versions: {},
      rounds: 1,
      results: [],
      outcomes,
      networks: "",
    };
    expect(tableOf(report)).not.toContain("Net");
  });

  it("replaces what stands between the marks, and nothing else", () => {
    const text = "a\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nb";
    expect(replaceMarked(text, "new")).toBe("a\n<!-- benchmark -->\n\nnew\n\n<!-- /benchmark -->\nb");
    expect(() => replaceMarked("a", "new")).toThrow("docs/speed.md: expected the lines");
    expect(() => replaceMarked(text, "new", "networks")).toThrow("<!-- networks -->");
  });
});

describe("the table of whole networks", () => {
  const network = (name: string, kind: string, ms: Record<string, number>): Result => ({
    ...result(name, 1, 1),
    kind,
    ms,
  });

  it("sets our time beside the peers', our threads' and a first result", () => {
    const results = [
      network("Net", "network", { im2row: 10, "onnxruntime-web": 25, "onnxruntime-node": 5 }),
      network("Net on two threads", "network threads", { im2row: 6, "one thread": 10 }),
      network("Bare", "network", { im2row: 200 }),
    ];
    const start = (ms: number, mb: number): Start => ({ ms, resident: mb * 1e6 });
    const starts = [{ name: "Net", starts: { im2row: start(40, 90), "onnxruntime-web": start(300, 150) } }];
    const lines = importedTable(results, starts, "M").split("\n");
    expect(lines[0]).toBe("Measured on: M.");
    expect(lines[4]).toBe("| Net | 10.0 | 25.0 (2.50×) | 5.0 (0.50×) | 6.0 | 40.0 / 300 | 90 / 150 |");
    expect(lines[5]).toBe("| Bare | 200 |  |  |  |  |  |");
    expect(lines.length).toBe(6);
  });

  it("is empty without networks", () => {
    expect(importedTable([result("a", 1, 2)], [], "M")).toBe("");
  });
});
