/** Images and filters as PNG pictures inside the page. */
import { encode } from "fast-png";
import { percent } from "../report.ts";
import { markup, type Markup } from "./markup.ts";
import type { Filters, Picture, Mistake } from "./trainingReport.ts";

/** Colours of weights below and above 0, which both light and dark pages show well. */
const NEGATIVE = [47, 111, 222];
const POSITIVE = [232, 104, 16];

function dataUrl(width: number, height: number, channels: 1 | 3 | 4, data: Uint8Array): string {
  const png = encode({ width, height, channels, data });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

export function pictureUrl({ width, height, channels, pixels }: Picture): string {
  return dataUrl(width, height, channels, pixels);
}

/** Weights from −most to most as colours: the sign gives the hue, the magnitude the opacity. */
export function weightsUrl(weights: Float32Array, width: number, height: number, most: number): string {
  const data = new Uint8Array(4 * weights.length);
  weights.forEach((weight, i) => {
    data.set(weight < 0 ? NEGATIVE : POSITIVE, 4 * i);
    data[4 * i + 3] = most > 0 ? Math.round((255 * Math.abs(weight)) / most) : 0;
  });
  return dataUrl(width, height, 4, data);
}

/** The mistakes with the largest losses, each with both classes and what the net gave to them. */
export function mistakePictures(mistakes: readonly Mistake[], classes: readonly string[]): Markup {
  const items = mistakes.map((mistake) => {
    const [truth, predicted] = [classes[mistake.truth]!, classes[mistake.predicted]!];
    const { width, height } = mistake.picture;
    const { file, index } = mistake;
    const alt = `${file ?? `Held-out image ${index}`}: ${truth} taken for ${predicted}`;
    const source = file === undefined ? [] : markup`<p class="file">${file}</p>`;
    return markup`<li><figure>
<img src="${pictureUrl(mistake.picture)}" width="${width}" height="${height}" alt="${alt}">
<figcaption><b>${truth}</b> taken for <b>${predicted}</b><dl><dt>${predicted}</dt><dd>${percent(mistake.predictedProbability)}</dd><dt>${truth}</dt><dd>${percent(mistake.truthProbability)}</dd><dt>loss</dt><dd>${mistake.loss.toFixed(2)}</dd></dl>${source}</figcaption>
</figure></li>\n`;
  });
  return markup`<ul class="pictures mistakes">
${items}</ul>`;
}

/** Filters on one scale of colours, so that strong and weak ones can be told apart. */
export function filterPictures({ layer, height, width, channels, planes }: Filters): Markup {
  const most = planes.reduce(
    (largest, plane) => plane.reduce((sofar, weight) => Math.max(sofar, Math.abs(weight)), largest),
    0,
  );
  const items = planes.map((plane, i) => {
    const name = `${Math.floor(i / channels) + 1}${channels === 1 ? "" : `, channel ${(i % channels) + 1}`}`;
    const range = [Math.min(...plane), Math.max(...plane)].map((weight) =>
      weight.toFixed(3).replace("-", "−"),
    );
    const alt = `Filter ${name} of ${layer}, ${height}×${width} weights from ${range[0]!} to ${range[1]!}`;
    return markup`<li><figure>
<img src="${weightsUrl(plane, width, height, most)}" width="${width}" height="${height}" alt="${alt}">
<figcaption>${name}</figcaption>
</figure></li>\n`;
  });
  return markup`<p class="scale"><span class="negative">−${most.toFixed(3)}</span><span class="bar"></span><span>+${most.toFixed(3)}</span></p>
<ul class="pictures filters">
${items}</ul>`;
}
