import { resizeTable } from "../kernels/resizeTable.ts";
import { checkElements, imageOf } from "../kernels/window.ts";
import { choiceOf, readOptions, sizePair, type Size } from "../options.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

const INTERPOLATIONS = ["nearest", "bilinear"] as const;

export type Interpolation = (typeof INTERPOLATIONS)[number];

export interface UpSampling2dLayerOptions {
  /** The factors of rows and columns, or one number for both. Default: 2. */
  size?: Size | undefined;
  /** Default: `"nearest"`. */
  interpolation?: Interpolation | undefined;
  name?: string | undefined;
}

/** By interpolation: the position of output `i` among the inputs, when each input becomes `factor` outputs. */
const POSITIONS: Record<Interpolation, (factor: number) => (i: number) => number> = {
  nearest: (factor) => (i) => Math.floor(i / factor),
  bilinear: (factor) => (i) => (2 * i + 1 - factor) / (2 * factor),
};

/**
 * Enlarges an image: `[h, w, c]` → `[h·rows, w·columns, c]`. `"nearest"` repeats each pixel; `"bilinear"` computes means of
 * the pixels around the output's centre, weighted by distance (half pixels, as with PyTorch's `align_corners=False`), and
 * continues the last row or column beyond the ends.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function upSampling2d(options: UpSampling2dLayerOptions = {}): Layer {
  const config = readOptions("upSampling2d", options, {
    size: [sizePair, 2],
    interpolation: [choiceOf(INTERPOLATIONS), "nearest"],
  });
  const { interpolation } = config;
  const [rows, columns] = config.size;
  return layerOf({
    type: "upSampling2d",
    name: options.name,
    config,
    isView: () => rows * columns === 1,
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      const output = [h * rows, w * columns, c];
      checkElements(where, output);
      return output;
    },
    build(context) {
      const [h, w] = imageOf(context.name, onlyInput(context.inputs));
      const position = POSITIONS[interpolation];
      return resizePass(
        context,
        context.tableOf(4 * h * rows, () => resizeTable(h, h * rows, position(rows))),
        context.tableOf(4 * w * columns, () => resizeTable(w, w * columns, position(columns))),
      );
    },
  });
}

/** The addresses of the tables of rows and columns. */
export interface ResizeState {
  readonly rows: number;
  readonly columns: number;
}

/** Builds the pass that resizes images by the tables at these addresses. */
export function resizePass(context: BuildContext, rows: number, columns: number): Pass<ResizeState> {
  const { kernels, inputs, output, x, y } = context;
  const [h, w, c] = onlyInput(inputs) as [number, number, number];
  const [oh, ow] = output as [number, number, number];
  const forward = (n: number): void =>
    kernels.resizeForward(rows, columns, n, h, w, c, oh, ow, x.pointer, y.pointer);
  return { forward, state: { rows, columns } };
}

/** The gradient of each pixel goes to the pixels that it is the mean of, times their weights. */
export const resizeGradient: Gradient<ResizeState> = (context, { rows, columns }) => {
  const { kernels, inputs, output, dx, dy } = context;
  const [h, w, c] = onlyInput(inputs) as [number, number, number];
  const [oh, ow] = output as [number, number, number];
  return (n) => kernels.resizeBackward(rows, columns, n, h, w, c, oh, ow, dy.pointer, dx!.pointer);
};
