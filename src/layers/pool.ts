import { OptionError, ShapeError } from "../errors.ts";
import type { Window } from "../kernels/window.ts";
import { imageOf } from "../kernels/window.ts";
import { choiceOf, isInteger, readOptions, show } from "../options.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { maxima, maximaGradient, means, meansGradient } from "./pooling2d.ts";
import type { Gradient } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

/** A window over the plane of an image; `top` and `left` are the padding before its first tap, which may be negative. */
export type PlaneWindow = Omit<Window, "h" | "w" | "c">;

export interface PoolLayerOptions {
  kind: "max" | "average";
  window: PlaneWindow;
  name?: string | undefined;
}

const readFrom =
  (least: number) =>
  (where: string, value: unknown): number => {
    if (isInteger(value) && value >= least && value <= 2 ** 30) return value;
    throw new OptionError(`${where}: expected an integer from ${least} to 2^30, got ${show(value)}`);
  };

function readWindow(where: string, value: PlaneWindow): PlaneWindow {
  const [size, padding] = [readFrom(1), readFrom(-(2 ** 30))];
  const kernel = { kh: size, kw: size, oh: size, ow: size };
  const steps = { strideH: size, strideW: size, dilationH: size, dilationW: size };
  return readOptions(where, value, { ...kernel, ...steps, top: padding, left: padding }, []);
}

/** @throws ShapeError unless each of the `positions` along an axis of `size` has a tap within it */
function expectTaps(
  where: string,
  size: number,
  [positions, taps, stride, dilation, before]: readonly [number, number, number, number, number],
): void {
  for (let position = 0; position < positions; position++) {
    const first = position * stride - before;
    const inside = first >= 0 ? first : first + Math.ceil(-first / dilation) * dilation;
    if (inside < size && inside <= first + (taps - 1) * dilation) continue;
    throw new ShapeError(`${where}: expected windows that each hold a pixel, got none in window ${position}`);
  }
}

/**
 * Pooling with any windows, including dilated ones. Each window must contain at least one pixel of the image; padding does
 * not count. `maxPooling2d` and `averagePooling2d` have simpler options for the usual windows.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function pool(options: PoolLayerOptions): Layer {
  const config = readOptions("pool", options, {
    kind: choiceOf(["max", "average"] as const),
    window: readWindow,
  });
  const { kind, window } = config;
  const { kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left } = window;
  return layerOf({
    type: "pool",
    name: options.name,
    config,
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      expectTaps(`${where}: height`, h, [oh, kh, strideH, dilationH, top]);
      expectTaps(`${where}: width`, w, [ow, kw, strideW, dilationW, left]);
      return [oh, ow, c];
    },
    build(context) {
      const [h, w, c] = imageOf(context.name, onlyInput(context.inputs));
      const { state, ...pass } = (kind === "max" ? maxima : means)(context, { ...window, h, w, c });
      return { ...pass, state: { kind, state } };
    },
  });
}

/** The gradient of either kind. */
export const poolGradient: Gradient<{ kind: "max" | "average"; state: unknown }> = (
  context,
  { kind, state },
) => (kind === "max" ? maximaGradient(context, state as never) : meansGradient(context, state as never));
