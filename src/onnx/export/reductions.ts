/** Writes reductions over axes. */
import { imageAxis } from "../../layers/concatenate.ts";
import type { ReductionKind } from "../../layers/reduce.ts";
import { operatorOf, type Site } from "./file.ts";
import { fileAxis } from "./layout.ts";

interface Reduction {
  readonly kind: ReductionKind;
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

export function reduce(site: Site): string {
  const { kind, axes, keepDims } = site.config<Reduction>();
  const rank = site.shape.length;
  const reduced = new Set(axes.map((axis) => imageAxis(axis, rank, site.name)));
  const inFile = [...reduced].map((axis) => fileAxis(axis, rank)).sort((a, b) => a - b);
  // Of the reductions, opset 17 has the axes of sums alone as an input.
  const over = (keepdims: number): string =>
    kind === "sum"
      ? site.op("ReduceSum", [site.x, site.integers("axes", inFile)], { keepdims })
      : site.op(`Reduce${operatorOf(kind)}`, [site.x], { axes: inFile, keepdims });
  if (keepDims) return over(1);
  // Every value has at least one axis besides the batch.
  if (reduced.size === rank) return site.op("Reshape", [over(1), site.integers("shape", [0, 1])]);
  const left = [...site.shape.keys()].filter((axis) => !reduced.has(axis));
  return turned(site, over(0), left);
}

/** Brings the axes that are left of an input into the file's order for a value of so many axes. */
function turned(site: Site, y: string, left: readonly number[]): string {
  const place = (axis: number): number => fileAxis(axis, site.shape.length);
  const lying = [...left].sort((a, b) => place(a) - place(b));
  const perm = [0];
  left.forEach((axis, i) => (perm[fileAxis(i, left.length)] = lying.indexOf(axis) + 1));
  return perm.every((axis, i) => axis === i) ? y : site.op("Transpose", [y], { perm });
}
