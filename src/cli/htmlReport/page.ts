/** The page about a training run: one file without scripts, which asks no other for anything. */
import { createHash } from "node:crypto";
import { correctCount, percent } from "../report.ts";
import { charts } from "./charts.ts";
import { markup, Markup } from "./markup.ts";
import { matrix } from "./matrix.ts";
import { filterPictures, mistakePictures } from "./pictures.ts";
import { STYLE } from "./style.ts";
import type { TrainingReport } from "./trainingReport.ts";

/** The page itself forbids everything but its own style sheet and the pictures inside it. */
const POLICY = [
  "default-src 'none'",
  "img-src data:",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const numeral = (value: number): string => value.toLocaleString("en");

/** A counted noun. */
const counted = (count: number, noun: string): string => `${numeral(count)} ${noun}${count === 1 ? "" : "s"}`;

interface Result {
  readonly images: number;
  readonly correct: number;
}

function resultOf({ confusion }: TrainingReport): Result {
  const images = confusion.flat().reduce((sum, count) => sum + count, 0);
  return { images, correct: correctCount(confusion) };
}

function header({ command, curves, weights, sha256 }: TrainingReport, { images, correct }: Result): Markup {
  const last = curves.epochs.at(-1)!;
  const tile = (name: string, value: string, more: string): Markup =>
    markup`<div><dt>${name}</dt><dd>${value}</dd><dd>${more}</dd></div>\n`;
  return markup`<header>
<p class="kicker">${command[0]!.split(" ", 2).join(" ")}</p>
<h1>Training report</h1>
<dl class="tiles">
${[
  tile("held-out accuracy", percent(correct / images), `${numeral(correct)} of ${counted(images, "image")}`),
  tile("held-out loss", last.heldOutLoss.toFixed(4), `in training ${last.loss.toFixed(4)}`),
  tile("trained for", counted(last.epochs, "epoch"), `${counted(weights, "weight")}`),
  tile("model file", sha256.slice(0, 8), "its SHA-256 begins so"),
]}</dl>
</header>`;
}

function section(title: string, note: string, content: Markup): Markup {
  const line = note === "" ? [] : markup`<p class="note">${note}</p>\n`;
  return markup`<section>
<h2>${title}</h2>
${line}${content}
</section>\n`;
}

function mistakesSection({ mistakes, classes }: TrainingReport, { images, correct }: Result): Markup {
  const wrong = images - correct;
  const shown = mistakes.length < wrong ? `, the ${mistakes.length} with the largest losses` : "";
  return wrong === 0
    ? section("Worst mistakes", `None: all ${counted(images, "image")} were told right.`, new Markup(""))
    : section(
        "Worst mistakes",
        `${counted(wrong, "held-out image")} taken for another class${shown}, worst first; with the probabilities that the net gave to both.`,
        mistakePictures(mistakes, classes),
      );
}

function filtersSection({ filters }: TrainingReport): Markup {
  if (!filters) return new Markup("");
  const { layer, height, width, planes, count } = filters;
  const shown = planes.length < count ? `, the first ${planes.length}` : "";
  return section(
    "First filters",
    `What the layer ${layer} learned: ${count} of ${height}×${width} weights${shown}, on one scale.`,
    filterPictures(filters),
  );
}

function runSection({ settings, command, sha256 }: TrainingReport): Markup {
  const rows = settings.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>\n`);
  return section(
    "Run",
    "The same run gives the same file of the model, byte for byte, on every machine.",
    markup`<dl class="settings">
${rows}<dt>SHA-256</dt><dd><code>${sha256}</code></dd>
</dl>
<p class="command">Again: <code>${command.map((word) => markup`<span>${word}</span> `)}</code></p>`,
  );
}

function layersSection({ summary }: TrainingReport): Markup {
  return section(
    "Layers",
    "Shapes are those of one image.",
    markup`<div class="scroll" role="region" tabindex="0" aria-label="Layers"><pre>${summary}</pre></div>`,
  );
}

/** The page as text. The same report gives the same bytes. */
export function page(report: TrainingReport): string {
  const result = resultOf(report);
  const { confusion, curves, classes } = report;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${percent(result.correct / result.images)} – im2row training report</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${header(report, result)}
${section("Curves", "Training is the mean of the batches since the point before; held out is measured after each epoch.", charts(curves))}${section("Confusion", "", matrix(confusion, classes))}${mistakesSection(report, result)}${filtersSection(report)}${runSection(report)}${layersSection(report)}</main>
</body>
</html>
`.text;
}
