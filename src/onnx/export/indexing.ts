/** Writes what takes elements along an axis, and constants. */
import { imageAxis } from "../../layers/concatenate.ts";
import { CONSTANT } from "../../layers/constant.ts";
import { tapsAt, type Blend, type TableOptions, type TakeLayerOptions } from "../../layers/take.ts";
import type { Shape } from "../../tensor.ts";
import type { Site } from "./file.ts";
import { fileAxis, fileShape, inFileOrder, integersInFile } from "./layout.ts";

/** An axis in the file, the number of its elements, and what the names of its constants begin with. */
interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly name: string;
}

/** Gathers elements of an axis. */
function gathered(site: Site, x: string, { axis, name }: Axis, indices: readonly number[]): string {
  return site.op("Gather", [x, site.integers(name, indices)], { axis });
}

/** The value with one more element at the end of an axis. */
function extended(site: Site, x: string, { axis, name }: Axis, value: number): string {
  const rank = site.shape.length + 1;
  const pads = Array.from({ length: 2 * rank }, (_, i) => (i === rank + axis ? 1 : 0));
  return site.op("Pad", [x, site.integers(`${name}Pads`, pads), site.scalar(value, site.types[0])]);
}

/** Writes copies of elements; those with index -1 are `fill`, which is put behind the end. */
function copies(site: Site, x: string, axis: Axis, indices: readonly number[], fill: number): string {
  if (!indices.includes(-1)) return gathered(site, x, axis, indices);
  const from = indices.map((index) => (index < 0 ? axis.size : index));
  return gathered(site, extended(site, x, { ...axis, name: `${axis.name}Fill` }, fill), axis, from);
}

/** Writes weighted sums of elements. An element with fewer summands than others adds zeros, which are put behind the end. */
function sums(site: Site, x: string, axis: Axis, blends: readonly Blend[]): string {
  const most = Math.max(...blends.map(({ length }) => length));
  const isEven = blends.every(({ length }) => length === most);
  const from = isEven ? x : extended(site, x, axis, 0);
  const shape = [blends.length, ...Array.from({ length: site.shape.length - axis.axis }, () => 1)];
  const terms = Array.from({ length: most }, (_, i) => {
    const name = `${axis.name}${i}`;
    const indices = blends.map((blend) => blend[i]?.[0] ?? axis.size);
    const weights = blends.map((blend) => blend[i]?.[1] ?? 0);
    const term = gathered(site, from, { ...axis, name }, indices);
    return site.op("Mul", [term, site.numbers(`${name}Weights`, weights, shape)]);
  });
  return terms.reduce((sum, term) => site.op("Add", [sum, term]));
}

/** Writes a value whose elements along an axis of the package come from a table. */
function taken(site: Site, x: string, at: number, name: string, table: TableOptions, fill = 0): string {
  const axis = { axis: fileAxis(at, site.shape.length), size: site.shape[at]!, name };
  const blends = table.indices.map((_, i) => tapsAt(table, i));
  const own = blends.filter(({ length }) => length > 0);
  const orFill = (place: (i: number) => number): number[] =>
    blends.map(({ length }, i) => (length > 0 ? place(i) : -1));
  if (!table.blends || own.length === 0) {
    const indices = orFill((i) => table.indices[i]!);
    return copies(site, x, axis, indices, fill);
  }
  const y = sums(site, x, axis, own);
  if (own.length === blends.length) return y;
  let next = 0;
  const from = orFill(() => next++);
  return copies(site, y, { ...axis, size: own.length }, from, fill);
}

export function take(site: Site): string {
  const config = site.config<TakeLayerOptions>();
  const at = imageAxis(config.axis, site.shape.length, site.name);
  return taken(site, site.x, at, "indices", config, Number(config.fill ?? 0));
}

export function resize(site: Site): string {
  const { rows, columns } = site.config<{ rows: TableOptions; columns: TableOptions }>();
  return taken(site, taken(site, site.x, 0, "rows", rows), 1, "columns", columns);
}

/** The value is repeated for as many images as the input has. */
export function constant(site: Site): string {
  const { shape, integers } = site.config<{ shape: Shape; integers?: readonly number[] }>();
  const value = integers
    ? site.numbers("integers", integersInFile(integers, shape), fileShape(shape), "int32")
    : site.weight(CONSTANT, inFileOrder);
  const images = site.op("Shape", [site.x], { start: 0, end: 1 });
  const target = site.op("Concat", [images, site.integers("shape", fileShape(shape))], { axis: 0 });
  return site.op("Expand", [value, target]);
}
