/** Writes layers that make one value of several. */
import type { Site } from "./file.ts";
import { fileAxis, fileShape } from "./layout.ts";

/** Applies the operator from left to right, in the order in which the layers compute. */
function fold(site: Site, opType: string, xs: readonly string[]): string {
  return xs.reduce((sum, x) => site.op(opType, [sum, x]));
}

/**
 * The inputs, where a row `[c]` beside an image is one of a single pixel, `[1, 1, c]`: ONNX repeats that for all
 * pixels.
 */
function withPixels(site: Site): string[] {
  const rank = site.outputShape.length;
  return site.xs.map((x, i) => {
    const shape = site.shapes[i]!;
    if (shape.length === rank) return x;
    const pixel = [...Array.from({ length: rank - 1 }, () => 1), ...shape];
    return site.op("Reshape", [x, site.integers("pixel", [0, ...fileShape(pixel)])]);
  });
}

export function add(site: Site): string {
  return fold(site, "Add", withPixels(site));
}

export function multiply(site: Site): string {
  return fold(site, "Mul", withPixels(site));
}

export function subtract(site: Site): string {
  return site.op("Sub", site.xs);
}

export function average(site: Site): string {
  return site.op("Mean", site.xs);
}

export function maximum(site: Site): string {
  return site.op("Max", site.xs);
}

export function concatenate(site: Site): string {
  const rank = site.outputShape.length;
  const { axis } = site.config<{ axis: number }>();
  const own = axis < 0 ? rank + axis : axis - 1;
  return site.op("Concat", site.xs, { axis: fileAxis(own, rank) });
}
