/** Curves of training and held-out images as SVG that needs no script. */
import type { CurvePoint, TrainingCurves } from "../train/curves.ts";
import { percent } from "../report.ts";
import { markup, type Markup } from "./markup.ts";

/** Units of the picture, which is as wide as its column: text is legible on a phone and no larger than prose on a desk. */
const WIDTH = 440;
const HEIGHT = 264;
const LEFT = 50;
const RIGHT = 428;
const TOP = 12;
const BOTTOM = 226;

/** More dots than these would run into each other. */
const MOST_DOTS = 30;

/** What one chart shows of the points, and its axis. */
interface Figure {
  readonly name: string;
  readonly of: (point: { readonly loss: number; readonly accuracy: number }) => number;
  readonly format: (value: number) => string;
  readonly tick: (value: number) => string;
  readonly ticksOf: (values: readonly number[]) => number[];
  /** The axis is even in this function of the values. */
  readonly even: (value: number) => number;
}

/** Smaller losses stand at the foot of their axis, which is logarithmic: the last epochs are told apart there too. */
const LEAST_LOSS = 1e-6;

/** Accuracies have an axis of a tenth or more, so that those near 1 look alike. */
const LEAST_SPAN = 0.1;

function lossTick(value: number): string {
  return value < 1e-3 || value >= 1e5 ? value.toExponential().replace("e+", "e") : String(value);
}

const LOSS: Figure = {
  name: "Loss",
  of: ({ loss }) => Math.max(loss, LEAST_LOSS),
  format: (value) => value.toFixed(4),
  tick: lossTick,
  ticksOf: logarithmicTicks,
  even: Math.log10,
};

const ACCURACY: Figure = {
  name: "Accuracy",
  of: ({ accuracy }) => accuracy,
  format: percent,
  tick: (value) => `${Number((100 * value).toPrecision(6))} %`,
  ticksOf: (values) => linearTicks(Math.min(1 - LEAST_SPAN, ...values), 1),
  even: (value) => value,
};

/** Round numbers, about five, from at or below `low` to at or above `high`: multiples of 1, 2 or 5 times a power of ten. */
export function linearTicks(low: number, high: number): number[] {
  const span = high > low ? high - low : Math.max(Math.abs(high), 1);
  const power = 10 ** Math.floor(Math.log10(span / 5));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= span / 5 - 1e-12 * span)! * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Powers of ten around positive values, from the last one below to the first above; 2 and 5 times them where few do. */
export function logarithmicTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const factors = last - first > 2 ? [1] : [1, 2, 5];
  const all = Array.from({ length: last - first + 2 }, (_, i) =>
    factors.map((factor) => Number(`${factor}e${first + i}`)),
  ).flat();
  const start = Math.max(
    0,
    all.findLastIndex((tick) => tick <= low),
  );
  const end = all.findIndex((tick, i) => i > start && tick >= high);
  return all.slice(start, end + 1);
}

/** Where values stand on an axis between its ends, to a tenth of a unit. */
function scaleOf(
  [low, high]: readonly [number, number],
  [start, end]: readonly [number, number],
): (value: number) => number {
  return (value) => Number((start + ((value - low) / (high - low)) * (end - start)).toFixed(1));
}

interface Frame {
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly x: (epochs: number) => number;
  readonly y: (value: number) => number;
}

function frameOf({ ticksOf, even }: Figure, values: readonly number[], epochs: number): Frame {
  const yTicks = ticksOf(values);
  const y = scaleOf([even(yTicks[0]!), even(yTicks.at(-1)!)], [BOTTOM, TOP]);
  return {
    xTicks: linearTicks(0, epochs).filter((tick) => tick <= epochs),
    yTicks,
    x: scaleOf([0, epochs], [LEFT, RIGHT]),
    y: (value) => y(even(value)),
  };
}

function axes({ xTicks, yTicks, x, y }: Frame, tick: Figure["tick"]): Markup {
  const rows = yTicks.map(
    (value) =>
      markup`<path class="grid" d="M${LEFT} ${y(value)}H${RIGHT}"/><text x="${LEFT - 7}" y="${y(value) + 4}" text-anchor="end">${tick(value)}</text>`,
  );
  const columns = xTicks.map(
    (value) => markup`<text x="${x(value)}" y="${BOTTOM + 18}" text-anchor="middle">${value}</text>`,
  );
  return markup`${rows}${columns}<text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 34}" text-anchor="middle">epochs</text>`;
}

function line(points: readonly (readonly [x: number, y: number])[], name: string): Markup {
  const path = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
  return markup`<path class="line ${name}" d="${path}"/>`;
}

/** One chart with its legend, which tells where the curves end. */
function chart(figure: Figure, training: readonly CurvePoint[], heldOut: readonly CurvePoint[]): Markup {
  const { name, of, format } = figure;
  const frame = frameOf(figure, [...training, ...heldOut].map(of), training.at(-1)!.epochs);
  const places = (points: readonly CurvePoint[]): (readonly [number, number])[] =>
    points.map((point) => [frame.x(point.epochs), frame.y(of(point))]);
  // A single point is the mean of all batches, and drawn along them.
  const curve = training.length === 1 ? [{ ...training[0]!, epochs: 0 }, ...training] : training;
  const dots = places(heldOut.length <= MOST_DOTS ? heldOut : heldOut.slice(-1)).map(
    ([x, y]) => markup`<circle class="heldout" cx="${x}" cy="${y}" r="4"/>`,
  );
  const span = (points: readonly CurvePoint[]): string =>
    `from ${format(of(points[0]!))} to ${format(of(points.at(-1)!))}`;
  const label = `${name} by epochs: training ${span(training)}, held out ${span(heldOut)}`;
  return markup`<figure class="chart">
<figcaption><h3>${name}</h3><span class="key training">training ${format(of(training.at(-1)!))}</span><span class="key heldout">held out ${format(of(heldOut.at(-1)!))}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${axes(frame, figure.tick)}${line(places(curve), "training")}${line(places(heldOut), "heldout")}${dots}</svg>
</figure>`;
}

function epochTable({ epochs }: TrainingCurves): Markup {
  const rows = epochs.map(
    (point) =>
      markup`<tr><th scope="row">${point.epochs}</th><td>${point.loss.toFixed(4)}</td><td>${point.heldOutLoss.toFixed(4)}</td><td>${percent(point.accuracy)}</td><td>${percent(point.heldOutAccuracy)}</td></tr>\n`,
  );
  return markup`<details><summary>The numbers by epoch</summary>
<div class="scroll" role="region" tabindex="0" aria-label="Loss and accuracy by epoch"><table class="numbers">
<thead><tr><th scope="col">epoch</th><th scope="col">training loss</th><th scope="col">held-out loss</th><th scope="col">training accuracy</th><th scope="col">held-out accuracy</th></tr></thead>
<tbody>
${rows}</tbody></table></div></details>`;
}

/** Loss and accuracy of training and held-out images, as two charts and a table. */
export function charts(curves: TrainingCurves): Markup {
  const heldOut = curves.epochs.map(({ epochs, heldOutLoss, heldOutAccuracy }) => ({
    epochs,
    loss: heldOutLoss,
    accuracy: heldOutAccuracy,
  }));
  return markup`<div class="charts">
${[LOSS, ACCURACY].map((figure) => chart(figure, curves.training, heldOut))}
</div>
${epochTable(curves)}`;
}
