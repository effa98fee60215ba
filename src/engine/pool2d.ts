import { ShapeError } from "../errors.ts";
import { sizePair, type Size } from "../options.ts";
import { resolveWindow, type Padding, type Window } from "./window.ts";
import type { Shape } from "../tensor.ts";

export interface PoolOptions {
  poolSize: Size;
  /** Default: `poolSize`. */
  strides?: Size | undefined;
  padding?: Padding | undefined;
}

/**
 * The window of a pooling layer over an image `[h, w, c]`.
 * @throws ShapeError when a window could lie in the padding alone.
 */
export function resolvePool(where: string, image: Shape, options: PoolOptions): Window {
  const { poolSize, strides = poolSize, padding } = options;
  sizePair(`${where}: poolSize`, poolSize);
  const window = resolveWindow(where, image, { kernelSize: poolSize, strides, padding });
  if (Array.isArray(padding)) {
    const [rows, columns] = padding as [[number, number], [number, number]];
    if (Math.max(...rows) >= window.kh || Math.max(...columns) >= window.kw) {
      throw new ShapeError(
        `${where}: padding: expected less than the pool size ${window.kh}×${window.kw}, got ${JSON.stringify(padding)}`,
      );
    }
  }
  return window;
}
