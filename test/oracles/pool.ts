/** Pooling in float64, each output from the list of its window's pixels. */
import type { Geometry } from "../support/window.ts";

/** For each output element of one image, in order: the indices of its window's pixels within the image. */
export function windowsOf(g: Geometry): number[][] {
  const windows: number[][] = [];
  for (let oy = 0; oy < g.oh; oy++) {
    for (let ox = 0; ox < g.ow; ox++) {
      for (let ch = 0; ch < g.c; ch++) {
        const indices: number[] = [];
        for (let ky = 0; ky < g.kh; ky++) {
          for (let kx = 0; kx < g.kw; kx++) {
            const y = oy * g.strideH + ky * g.dilationH - g.top;
            const x = ox * g.strideW + kx * g.dilationW - g.left;
            if (y >= 0 && y < g.h && x >= 0 && x < g.w) indices.push((y * g.w + x) * g.c + ch);
          }
        }
        windows.push(indices);
      }
    }
  }
  return windows;
}

/** The first NaN's position, or else the first maximum's. */
function winnerOf(values: number[]): number {
  const broken = values.findIndex(Number.isNaN);
  return broken >= 0 ? broken : values.indexOf(Math.max(...values));
}

const at = (x: ArrayLike<number>, i: number): number => x[i] as number;

/** Splits `n` images and hands each, with its offset, to `each`; joins the results. */
function images<T>(n: number, size: number, each: (offset: number) => T[]): T[] {
  return Array.from({ length: n }, (_, i) => each(i * size)).flat();
}

export function maxPool(g: Geometry, n: number, x: ArrayLike<number>): { y: number[]; argmax: number[] } {
  const windows = windowsOf(g);
  const argmax = images(n, g.h * g.w * g.c, (offset) =>
    windows.map((indices) => indices[winnerOf(indices.map((i) => at(x, offset + i)))] as number),
  );
  const y = argmax.map((index, i) => at(x, Math.floor(i / windows.length) * g.h * g.w * g.c + index));
  return { y, argmax };
}

/** dx by the chain rule: each dy goes to the pixel with the index `argmax`. */
export function maxPoolGradient(
  g: Geometry,
  n: number,
  dy: ArrayLike<number>,
  argmax: ArrayLike<number>,
): Float64Array {
  const xSize = g.h * g.w * g.c;
  const ySize = g.oh * g.ow * g.c;
  const dx = new Float64Array(n * xSize);
  for (let i = 0; i < n * ySize; i++) {
    const target = Math.floor(i / ySize) * xSize + at(argmax, i);
    dx[target] = at(dx, target) + at(dy, i);
  }
  return dx;
}

export function averagePool(g: Geometry, n: number, x: ArrayLike<number>): number[] {
  const windows = windowsOf(g);
  return images(n, g.h * g.w * g.c, (offset) =>
    windows.map((indices) => indices.reduce((sum, i) => sum + at(x, offset + i), 0) / indices.length),
  );
}

export function averagePoolGradient(g: Geometry, n: number, dy: ArrayLike<number>): Float64Array {
  const windows = windowsOf(g);
  const xSize = g.h * g.w * g.c;
  const dx = new Float64Array(n * xSize);
  for (let i = 0; i < n * windows.length; i++) {
    const indices = windows[i % windows.length] as number[];
    const offset = Math.floor(i / windows.length) * xSize;
    for (const index of indices) dx[offset + index] = at(dx, offset + index) + at(dy, i) / indices.length;
  }
  return dx;
}
