import { OptionError } from "../errors.ts";
import { show, sizePair, type Size } from "../options.ts";
import { shapeText } from "../tensor.ts";
import { checkPadding, resolveWindow, type Padding, type Sliding, type Window } from "./window.ts";
import type { Shape } from "../tensor.ts";

export interface PoolOptions {
  poolSize: Size;
  /** Default: `poolSize`. */
  strides?: Size | undefined;
  padding?: Padding | undefined;
}

/** Such options as they were read. */
export interface Pooling extends Pick<Sliding, "strides" | "padding"> {
  readonly poolSize: readonly [number, number];
}

/** Returns a copy of the options with the defaults filled in. @throws OptionError; also for windows of padding alone */
export function checkPool(where: string, options: PoolOptions): Pooling {
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

/** The window of a pooling layer over an image `[h, w, c]`. @throws ShapeError */
export function resolvePool(where: string, image: Shape, { poolSize, ...rest }: Pooling): Window {
  return resolveWindow(where, image, { kernelSize: poolSize, dilationRate: [1, 1], ...rest });
}
