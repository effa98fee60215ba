import { resizeTable } from "../kernels/resizeTable.ts";
import { checkElements, imageOf } from "../kernels/window.ts";
import { checkOptions, oneOf, sizePair, type Size } from "../options.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

const INTERPOLATIONS = ["nearest", "bilinear"] as const;

export type Interpolation = (typeof INTERPOLATIONS)[number];

export interface UpSampling2dLayerOptions {
  /** The numbers of rows and columns that one becomes, or one number for both. Default: 2. */
  size?: Size;
  /** Default: `"nearest"`. */
  interpolation?: Interpolation;
  name?: string;
}

/**
 * The position of output `i` among the inputs when each becomes `factor` pixels: pixels have extents, and centres
 * between.
 */
const PLACES: Record<Interpolation, (factor: number) => (i: number) => number> = {
  nearest: (factor) => (i) => Math.floor(i / factor),
  bilinear: (factor) => (i) => (2 * i + 1 - factor) / (2 * factor),
};

/**
 * An image of more pixels: `[h, w, c]` → `[h·rows, w·columns, c]`. `"nearest"` repeats each pixel; `"bilinear"` takes the
 * means of the neighbours of the output's centre by distance (half pixels: PyTorch's `align_corners=False`), and the last
 * row or column beyond the ends.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function upSampling2d(options: UpSampling2dLayerOptions = {}): Layer {
  checkOptions("upSampling2d", options, ["size", "interpolation", "name"]);
  const size = sizePair("upSampling2d: size", options.size ?? 2);
  const given = options.interpolation ?? "nearest";
  const interpolation = oneOf("upSampling2d: interpolation", given, INTERPOLATIONS);
  const [rows, columns] = size;
  return layerOf({
    type: "upSampling2d",
    name: options.name,
    config: { size, interpolation },
    isView: () => rows * columns === 1,
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      const output = [h * rows, w * columns, c];
      checkElements(where, output);
      return output;
    },
    build(context) {
      const [h, w] = imageOf(context.name, onlyInput(context.inputs));
      const place = PLACES[interpolation];
      return resizePass(
        context,
        context.tableOf(4 * h * rows, () => resizeTable(h, h * rows, place(rows))),
        context.tableOf(4 * w * columns, () => resizeTable(w, w * columns, place(columns))),
      );
    },
  });
}

/** The addresses of the tables that tell where rows and columns come from. */
export interface ResizeState {
  readonly rows: number;
  readonly columns: number;
}

/** Images resized by the kernel, from tables at these addresses. */
export function resizePass(context: BuildContext, rows: number, columns: number): Pass<ResizeState> {
  const { kernels, inputs, output, x, y } = context;
  const [h, w, c] = onlyInput(inputs) as [number, number, number];
  const [oh, ow] = output as [number, number, number];
  const forward = (n: number): void =>
    kernels.resizeForward(rows, columns, n, h, w, c, oh, ow, x.pointer, y.pointer);
  return { forward, state: { rows, columns } };
}

/** Each pixel's gradient goes to the pixels that it is the mean of, by their weights. */
export const resizeGradient: Gradient<ResizeState> = (context, { rows, columns }) => {
  const { kernels, inputs, output, dx, dy } = context;
  const [h, w, c] = onlyInput(inputs) as [number, number, number];
  const [oh, ow] = output as [number, number, number];
  return (n) => kernels.resizeBackward(rows, columns, n, h, w, c, oh, ow, dy.pointer, dx!.pointer);
};
