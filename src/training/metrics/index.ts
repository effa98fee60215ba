/**
 * Figures of how good outputs are. Without outputs a factory makes a metric for `compile`, whose figure `evaluate` and `fit`
 * return besides the accuracy. With outputs and labels it returns the figure of these.
 */
import { ShapeError } from "../../errors.ts";
import { classNumbers, type Labels } from "../../labels.ts";
import { checkOptions, positiveInteger } from "../../options.ts";
import { expectShape, readTensor, shapeText, type Tensor } from "../../tensor.ts";
import { argmax, classOf, countRows, rankOf, type Metric } from "./metric.ts";

/** The figures of the metrics that this file makes, by their names. */
export interface MetricFigures {
  [topK: `topK${number}`]: number;
  confusionMatrix?: number[][];
}

/** Classes need at least two columns. */
const CLASSES = 2;

export interface TopKOptions {
  /** Default: 5. */
  k?: number | undefined;
}

/** The share of the rows for which `hit` holds. */
function share(name: string, hit: (row: Float32Array, label: number) => boolean): Metric<number> {
  return {
    name,
    minColumns: CLASSES,
    start() {
      let [hits, rows] = [0, 0];
      return {
        add(row, target) {
          rows++;
          if (hit(row, classOf(target))) hits++;
        },
        result: () => hits / rows,
      };
    },
  };
}

/** The figure of a metric over all rows of `outputs[n, …, classes]`. @throws ShapeError, OptionError */
function measure<T>(where: string, metric: Metric<T>, outputs: Tensor, labels: Labels): T {
  const { shape, data } = readTensor(`${where}: outputs`, outputs);
  const columns = shape.at(-1);
  if (shape.length < 2 || columns! < CLASSES) {
    throw new ShapeError(`${where}: outputs: expected rows of several classes, got ${shapeText(shape)}`);
  }
  const own = classNumbers(where, labels, data.length / columns!, columns!);
  const classes = own instanceof Int32Array;
  if (!classes) expectShape(`${where}: labels`, own.shape, shape);
  const count = metric.start(columns!);
  countRows([count], data, columns!, classes ? own : own.data, classes, 0);
  return count.result();
}

function topKOf(where: string, options: TopKOptions): Metric<number> {
  checkOptions(where, options, ["k"]);
  const k = positiveInteger(`${where}: k`, options.k ?? 5);
  return share(`topK${k}`, (row, label) => rankOf(row, label) < k);
}

/**
 * For `compile`: the share of the rows whose class is among the `k` largest, called `topK5` for five. Of equal outputs the
 * first counts as the larger, and NaN as larger than any number.
 * @throws OptionError
 */
export function topK(options: TopKOptions = {}): Metric<number> {
  return topKOf("topK", options);
}

/** The figure of `topK` over `outputs[n, …, classes]`; labels are class numbers or rows. @throws ShapeError, OptionError */
export function topKAccuracy(outputs: Tensor, labels: Labels, options: TopKOptions = {}): number {
  return measure("topKAccuracy", topKOf("topKAccuracy", options), outputs, labels);
}

/** `matrix[class][predicted]`: how many rows of a class have their largest output in which column. */
const CONFUSION: Metric<number[][]> = {
  name: "confusionMatrix",
  minColumns: CLASSES,
  start(columns) {
    const matrix = Array.from({ length: columns }, () => Array<number>(columns).fill(0));
    return {
      add(row, target) {
        matrix[classOf(target)]![argmax(row)]!++;
      },
      result: () => matrix,
    };
  },
};

/** The metric for `compile`: `matrix[class][column]` counts the rows of a class whose largest output is in the column. */
export function confusionMatrix(): Metric<number[][]>;
/** The matrix of `outputs[n, …, classes]`; labels are class numbers or rows. @throws ShapeError, OptionError */
export function confusionMatrix(outputs: Tensor, labels: Labels): number[][];
export function confusionMatrix(...passed: [] | [Tensor, Labels]): Metric<number[][]> | number[][] {
  if (passed.length === 0) return CONFUSION;
  return measure("confusionMatrix", CONFUSION, ...passed);
}

/**
 * Share of the rows of `outputs[n, …, classes]` whose largest element is in the column of the class; labels are class
 * numbers or rows.
 * @throws ShapeError, OptionError
 */
export function accuracy(outputs: Tensor, labels: Labels): number {
  return measure("accuracy", topK({ k: 1 }), outputs, labels);
}
