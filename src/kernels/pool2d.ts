import { OptionError } from "../errors.ts";
import { show, sizePair, type Size, type Settled } from "../options.ts";
import { shapeText } from "../tensor.ts";
import { checkPadding, resolveWindow, type Padding, type Window } from "./window.ts";
import type { Shape } from "../tensor.ts";

export interface PoolOptions {
  poolSize: Size;
  /** Default: `poolSize`. */
  strides?: Size | undefined;
  padding?: Padding | undefined;
}

/** Returns a copy of the options with the defaults filled in. @throws OptionError; also for windows of padding alone */
export function checkPool(where: string, options: PoolOptions): Settled<PoolOptions> {
  const { poolSize, strides = poolSize } = options;
  const size = sizePair(`${where}: poolSize`, poolSize);
  const padding = checkPadding(`${where}: padding`, options.padding ?? "valid");
  if (typeof padding !== "string" && padding.some((pads, axis) => Math.max(...pads) >= size[axis]!)) {
    throw new OptionError(
      `${where}: padding: expected less than the pool size ${shapeText(size)}, got ${show(padding)}`,
    );
  }
  return { poolSize: size, strides: sizePair(`${where}: strides`, strides), padding };
}

/** The window of a pooling layer over an image `[h, w, c]`. @throws OptionError, ShapeError */
export function resolvePool(where: string, image: Shape, options: PoolOptions): Window {
  const { poolSize, ...sliding } = checkPool(where, options);
  return resolveWindow(where, image, { kernelSize: poolSize, ...sliding });
}
