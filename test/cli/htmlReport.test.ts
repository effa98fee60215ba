/** The page about a training run, from what is to be shown: nothing is trained here. */
import { createHash } from "node:crypto";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MOST_EPOCHS, MOST_POINTS } from "../../src/cli/train/curves.ts";
import { pixelsOf } from "../../src/cli/data.ts";
import { linearTicks, logarithmicTicks } from "../../src/cli/htmlReport/charts.ts";
import {
  firstFilters,
  MOST_MISTAKES,
  MOST_PLANES,
  MOST_COLOURED_SIDE,
  MOST_SIDE,
  worstMistakes,
} from "../../src/cli/htmlReport/collect.ts";
import { markup } from "../../src/cli/htmlReport/markup.ts";
import { page } from "../../src/cli/htmlReport/page.ts";
import type { TrainingReport } from "../../src/cli/htmlReport/trainingReport.ts";
import { load, tensor, type Engine } from "../../src/index.ts";
import { random } from "../support/random.ts";
import { cellsOf, faultsOf, imagesOf, sectionOf, textOf } from "./support/html.ts";

const REPORT: TrainingReport = {
  classes: ["ant", "bee"],
  curves: {
    training: [
      { epochs: 0.5, loss: 2, accuracy: 0.25 },
      { epochs: 1, loss: 0.5, accuracy: 0.75 },
    ],
    epochs: [{ epochs: 1, loss: 1.25, accuracy: 0.5, heldOutLoss: 0.75, heldOutAccuracy: 0.8 }],
  },
  confusion: [
    [6, 0],
    [2, 2],
  ],
  mistakes: [
    {
      index: 7,
      truth: 1,
      predicted: 0,
      loss: 2.25,
      truthProbability: 0.1,
      predictedProbability: 0.9,
      picture: { width: 2, height: 1, channels: 1, pixels: Uint8Array.of(0, 200) },
    },
  ],
  filters: {
    layer: "conv2d",
    height: 1,
    width: 3,
    channels: 1,
    planes: [Float32Array.of(-0.5, 0, 0.25)],
    count: 1,
  },
  settings: [["data", "drawn digits"]],
  command: ["im2row train", "--seed 1"],
  summary: "layer  type",
  weights: 1234,
  sha256: "0123456789abcdef".repeat(4),
};

const curvesOf = (most: number) =>
  Array.from({ length: most }, (_, i) => ({
    epochs: (i + 1) * 1234.5,
    loss: 1 / (i + 3),
    accuracy: i / most,
  }));

describe("a page", () => {
  const html = page(REPORT);

  it("is well formed, and has what it says once", () => {
    expect(faultsOf(html)).toEqual([]);
    expect(faultsOf("<p><b></p>")).not.toEqual([]);
    for (const title of ["Curves", "Confusion", "Worst mistakes", "First filters", "Run", "Layers"]) {
      sectionOf(html, title);
    }
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain("<title>80.00 % – im2row training report</title>");
  });

  it("needs nothing else, and says so to the browser", () => {
    expect(html).not.toMatch(/<script|<link|<iframe|https?:|\bstyle=|\bon\w+=|@import|url\(/);
    const style = /<style>([^]*)<\/style>/.exec(html)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    expect(html).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'">`,
    );
  });

  it("tells the figures", () => {
    const tiles = textOf(/<dl class="tiles">([^]*?)<\/dl>/.exec(html)![1]!);
    for (const figure of ["80.00 %", "8 of 10 images", "0.7500", "1.2500", "1 epoch", "1,234 weights"]) {
      expect(tiles).toContain(figure);
    }
    expect(tiles).toContain("01234567");
    expect(cellsOf(sectionOf(html, "Confusion"))).toEqual([
      ["ant", "6", "0", "100.00 %"],
      ["bee", "2", "2", "50.00 %"],
    ]);
    expect(cellsOf(sectionOf(html, "Curves"))).toEqual([["1", "1.2500", "0.7500", "50.00 %", "80.00 %"]]);
    const run = textOf(sectionOf(html, "Run"));
    expect(run).toContain("drawn digits");
    expect(run).toContain("im2row train --seed 1");
    expect(run).toContain(REPORT.sha256);
    expect(sectionOf(html, "Layers")).toContain("<pre>layer  type</pre>");
  });

  it("draws the points where they belong", () => {
    const [loss, accuracy] = sectionOf(html, "Curves").match(/<svg[^]*?<\/svg>/g)!;
    // Epochs 0 to 1 from 50 to 428, losses 0.5 to 2 evenly in their logarithm from 226 to 12.
    expect(loss).toContain('<path class="line training" d="M239 12L428 226"/>');
    const height = 226 - (214 * Math.log(0.75 / 0.5)) / Math.log(2 / 0.5);
    expect(loss).toContain(`<circle class="heldout" cx="428" cy="${height.toFixed(1)}" r="4"/>`);
    // Accuracies from 20 to 100 %.
    expect(accuracy).toContain('d="M239 212.6L428 78.9"');
    expect(loss).toContain(
      'aria-label="Loss by epochs: training from 2.0000 to 0.5000, held out from 0.7500 to 0.7500"',
    );
  });

  it("draws a run of one batch, with losses that are far apart and accuracies that are alike", () => {
    const point = { epochs: 1, loss: 3e6, accuracy: 1 };
    const curves = { training: [point], epochs: [{ ...point, heldOutLoss: 0, heldOutAccuracy: 1 }] };
    const [loss, accuracy] = sectionOf(page({ ...REPORT, curves }), "Curves").match(/<svg[^]*?<\/svg>/g)!;
    expect(loss).toMatch(/class="line training" d="M50 ([\d.]+)L428 \1"/);
    const ticks = [...loss!.matchAll(/text-anchor="end">([^<]*)</g)].map(([, tick]) => tick);
    expect(ticks.slice(0, 2)).toEqual(["1e-6", "1e-5"]);
    expect(ticks.at(-1)).toBe("1e7");
    expect(loss).toContain('<circle class="heldout" cx="428" cy="226" r="4"/>');
    expect(accuracy).toContain('text-anchor="end">90 %<');
    expect(accuracy).toContain('text-anchor="end">100 %<');
    expect(accuracy).not.toContain('text-anchor="end">102 %<');
  });

  it("shades cells by their counts", () => {
    const cells = sectionOf(html, "Confusion").match(/<td class="(hit|miss)\d">\d+/g);
    expect(cells).toEqual([
      '<td class="hit9">6',
      '<td class="miss0">0',
      '<td class="miss9">2',
      '<td class="hit5">2',
    ]);
  });

  it("shows mistakes and filters as pictures", () => {
    const mistakes = sectionOf(html, "Worst mistakes");
    const [mistake] = imagesOf(mistakes);
    expect(mistake!.alt).toBe("Held-out image 7: bee taken for ant");
    expect(decode(mistake!.png)).toMatchObject({
      width: 2,
      height: 1,
      channels: 1,
      data: Uint8Array.of(0, 200),
    });
    for (const figure of ["90.00 %", "10.00 %", "2.25"]) expect(textOf(mistakes)).toContain(figure);
    const [filter] = imagesOf(sectionOf(html, "First filters"));
    expect(filter!.alt).toBe("Filter 1 of conv2d, 1×3 weights from −0.500 to 0.250");
    // The largest magnitude is opaque, half of it half so; 0 cannot be seen.
    expect(decode(filter!.png).data).toEqual(
      Uint8Array.of(47, 111, 222, 255, 232, 104, 16, 0, 232, 104, 16, 128),
    );
  });

  it("says when there are no mistakes, and leaves out filters that there are not", () => {
    const confusion = [
      [6, 0],
      [0, 4],
    ];
    const other = page({ ...REPORT, confusion, mistakes: [], filters: undefined });
    expect(faultsOf(other)).toEqual([]);
    expect(textOf(sectionOf(other, "Worst mistakes"))).toContain("None: all 10 images were told right.");
    expect(other).not.toContain("First filters");
  });

  it("escapes all text", () => {
    const evil = `</pre><script>alert("1")</script>'&\u202e\u0000`;
    const safe = "&lt;/pre&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;\\u202e\\u0000";
    const other = page({
      ...REPORT,
      classes: [evil, evil],
      settings: [[evil, evil]],
      command: [evil],
      summary: evil,
      sha256: evil,
      filters: { ...REPORT.filters!, layer: evil },
    });
    expect(faultsOf(other)).toEqual([]);
    expect(other).not.toContain("<script");
    expect(other.split(safe).length - 1).toBeGreaterThan(10);
    expect(markup`${evil}${[markup`<b>`, 1, evil]}`.text).toBe(`${safe}<b>1${safe}`);
  });

  it("lists the most frequent mistakes of many classes", () => {
    const classes = Array.from({ length: 500 }, (_, k) => `class ${k}`);
    const confusion = classes.map((_, truth) =>
      classes.map((__, taken) => (taken === truth ? 9 : taken === 7 ? truth % 50 : 0)),
    );
    const many = page({ ...REPORT, classes, confusion });
    expect(faultsOf(many)).toEqual([]);
    expect(many.length).toBeLessThan(100_000);
    const rows = cellsOf(sectionOf(many, "Confusion"));
    expect(rows).toHaveLength(60);
    expect(rows[0]).toEqual(["class 49", "class 7", "49", "58"]);
  });

  it("has at most 300 kB, whatever the data", () => {
    const noise = (length: number) => Uint8Array.from(random(1).uniform(length), (x) => 128 + 127 * x);
    const side = MOST_COLOURED_SIDE;
    const picture = { width: side, height: side, channels: 3, pixels: noise(3 * side ** 2) } as const;
    const classes = Array.from({ length: 10 }, (_, i) => String(i));
    const largest = page({
      ...REPORT,
      classes,
      curves: {
        training: curvesOf(MOST_POINTS),
        epochs: curvesOf(MOST_EPOCHS).map((point) => ({
          ...point,
          heldOutLoss: point.loss,
          heldOutAccuracy: point.accuracy,
        })),
      },
      confusion: classes.map(() => classes.map(() => 2 ** 31)),
      mistakes: Array.from({ length: MOST_MISTAKES }, () => ({ ...REPORT.mistakes[0]!, picture })),
      filters: {
        ...REPORT.filters!,
        height: 5,
        width: 5,
        planes: Array.from({ length: MOST_PLANES }, () => random(1).uniform(25)),
      },
      settings: [["data", "x".repeat(4096)]],
    });
    expect(faultsOf(largest)).toEqual([]);
    expect(largest.length).toBeLessThan(300_000);
  });
});

describe("ticks", () => {
  it("are round numbers around the values", () => {
    expect(linearTicks(0, 5)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(linearTicks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(linearTicks(0.93, 1)).toEqual([0.92, 0.94, 0.96, 0.98, 1]);
    expect(linearTicks(1, 1)).toHaveLength(2);
  });

  it("are powers of ten of losses, or finer where these are few", () => {
    expect(logarithmicTicks([2.3, 0.004])).toEqual([0.001, 0.01, 0.1, 1, 10]);
    expect(logarithmicTicks([2.3, 0.4])).toEqual([0.2, 0.5, 1, 2, 5]);
    expect(logarithmicTicks([1, 1])).toEqual([1, 2]);
  });
});

describe("what a net shows of itself", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load();
  });
  afterAll(() => engine.dispose());

  it("are the mistakes with the largest losses, by arithmetic in float64", async () => {
    const [count, classes, side] = [60, 4, 80];
    const scores = random(3).uniform(count * classes, -3, 3);
    // A hopeless one, whose probability float32 has no number for, and two of one loss.
    scores.set([-300, 0, 0, 1], 0);
    scores.set([0, 2, 0, 0], 4);
    scores.set([0, 2, 0, 0], 8);
    const labels = Int32Array.from({ length: count }, (_, i) => (i < 3 ? 0 : i % classes));
    const images = tensor(random(4).uniform(count * side * side), [count, side, side, 1]);
    const expected = [...labels.keys()]
      .map((index) => {
        const row = [...scores.subarray(index * classes, (index + 1) * classes)];
        const sum = row.reduce((total, score) => total + Math.exp(score), 0);
        const predicted = row.indexOf(Math.max(...row));
        return {
          index,
          predicted,
          loss: Math.log(sum) - row[labels[index]!]!,
          taken: Math.exp(row[predicted]!) / sum,
        };
      })
      .filter(({ index, predicted }) => predicted !== labels[index])
      .sort((a, b) => b.loss - a.loss || a.index - b.index);
    const picture = (index: number) =>
      ({ width: side, height: side, channels: 1, pixels: pixelsOf(images, index) }) as const;
    const judged = { labels, scores, picture };
    const mistakes = await worstMistakes(engine, judged, classes, 10);
    expect(mistakes.map(({ index }) => index)).toEqual(expected.slice(0, 10).map(({ index }) => index));
    expect(expected.map(({ index }) => index)).toEqual(expect.arrayContaining([0, 1, 2]));
    mistakes.forEach((mistake, i) => {
      expect(mistake.loss).toBeCloseTo(expected[i]!.loss, 4);
      expect(mistake.predictedProbability).toBeCloseTo(expected[i]!.taken, 6);
      expect(mistake.truth).toBe(labels[mistake.index]);
      expect(mistake.picture).toMatchObject({ width: MOST_SIDE, height: MOST_SIDE });
      expect(mistake.picture.pixels).toHaveLength(MOST_SIDE ** 2);
    });
    expect(await worstMistakes(engine, judged, classes)).toHaveLength(MOST_MISTAKES);
  });

  it("are bytes of images as they were read", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const normalized = Float32Array.from(bytes, (byte) => (byte / 255 - 0.1307) / 0.3081);
    const images = tensor(Float32Array.from([...normalized, ...normalized.toReversed()]), [2, 16, 16, 1]);
    expect(pixelsOf(images, 0)).toEqual(bytes);
    expect(pixelsOf(images, 1)).toEqual(bytes.toReversed());
  });

  it("are filters of the first convolution", () => {
    const kernel = tensor(
      Float32Array.from({ length: 2 * 1 * 3 * 4 }, (_, i) => i),
      [2, 1, 3, 4],
    );
    const weights = new Map([
      ["dense.kernel", tensor([1, 2], [1, 2])],
      ["first.kernel", kernel],
      ["second.kernel", kernel],
    ]);
    const filters = firstFilters(weights, 5)!;
    expect(filters).toMatchObject({ layer: "first", height: 2, width: 1, channels: 3, count: 12 });
    // kernel[y, 0, channel, filter] = 12·y + 4·channel + filter, planes by filter, then by channel.
    expect(filters.planes.map((plane) => [...plane])).toEqual([
      [0, 12],
      [4, 16],
      [8, 20],
      [1, 13],
      [5, 17],
    ]);
    expect(firstFilters(new Map([["dense.kernel", tensor([1], [1, 1])]]))).toBeUndefined();
  });
});
