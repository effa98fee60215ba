import { ShapeError } from "../errors.ts";
import { classList, type Labels } from "../labels.ts";
import { isPlainObject, lengthOf, show } from "../options.ts";
import { noTensor, readShape, sizeOf, type Tensor } from "../tensor.ts";
import type { Sample, SampleImage, SampleLabel } from "./origin.ts";
import { samplesAt, type Samples } from "./samples.ts";

type Images = Tensor<Float32Array | Uint8Array>;
type Values<T> = T | Readonly<Record<string, T>>;

/** Elements of data for an image, and the number of images. */
interface Rows<T> {
  readonly count: number;
  at(i: number): T;
}

/** The images of a batch, one by one, as views. @throws ShapeError */
function rowsOf<T extends Images>(where: string, { shape: given, data }: T): Rows<SampleImage> {
  const [count = 0, ...shape] = readShape(where, given, ".shape");
  const size = sizeOf(shape);
  if (!ArrayBuffer.isView(data) || lengthOf(data) !== count * size) {
    throw new ShapeError(`${where}.data: expected a typed array of ${count * size}, got ${show(data)}`);
  }
  return { count, at: (i) => ({ shape, data: data.subarray(i * size, (i + 1) * size) }) };
}

function labelsOf(where: string, labels: Labels): Rows<SampleLabel> {
  const list = classList(where, labels, noTensor());
  if (!list) return rowsOf(where, labels as Tensor) as Rows<SampleLabel>;
  return { count: lengthOf(list), at: (i) => Number(list[i]) };
}

/** Rows of each name, or of a single value. */
function named<T, R>(
  where: string,
  values: Values<T>,
  rows: (where: string, value: T) => Rows<R>,
): Rows<Values<R>> {
  if (!isPlainObject(values) || "shape" in values) return rows(where, values as T);
  const all = Object.entries(values as Readonly<Record<string, T>>).map(
    ([name, value]) => [name, rows(`${where}: ${name}`, value)] as const,
  );
  const [first] = all;
  if (!first) throw new ShapeError(`${where}: expected tensors by name, got none`);
  for (const [name, { count }] of all) expectCount(`${where}: ${name}`, count, first[1].count);
  const at = (i: number): Values<R> => Object.fromEntries(all.map(([name, each]) => [name, each.at(i)]));
  return { count: first[1].count, at };
}

function expectCount(where: string, count: number, expected: number): void {
  if (count !== expected) throw new ShapeError(`${where}: expected ${expected} samples, got ${count}`);
}

/**
 * A data set of images that are held, `[n, h, w, c]` as floats or bytes, and their labels, either by name where a model has
 * several. They are not copied before they are put into batches. @throws ShapeError
 */
export function fromTensors(images: Images, labels: Values<Labels>): Samples;
export function fromTensors(
  images: Readonly<Record<string, Images>>,
  labels: Values<Labels>,
): Samples<Readonly<Record<string, Images>>>;
export function fromTensors(images: Values<Images>, labels: Values<Labels>): Samples<never> {
  const [x, y] = [
    named("fromTensors: images", images, rowsOf),
    named("fromTensors: labels", labels, labelsOf),
  ];
  expectCount("fromTensors: labels", y.count, x.count);
  const read = (i: number): Sample => ({ image: x.at(i), label: y.at(i) });
  return samplesAt(x.count, read, (i) => `sample ${i}`);
}
