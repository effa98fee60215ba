/** Layers that make inputs of images: they take bytes as they take floats, so that images stay bytes until the net reads them. */
import { bytesOf, type DType } from "../dtype.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { resizeTable } from "../kernels/resizeTable.ts";
import { checkElements, imageOf, ONE_PIXEL } from "../kernels/window.ts";
import { choiceOf, finiteNumber, readOptions, sizeAlong } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import {
  onlyInput,
  type BuildContext,
  type Gradient,
  type Layer,
  type LayerDefinition,
  type Pass,
} from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { resizePass, type Interpolation, type ResizeState } from "./upSampling2d.ts";

/** The output is of float32. @throws OptionError naming `where` unless the inputs are of float32 or uint8 */
function floatsOf(inputs: readonly DType[], where: string): DType {
  const other = inputs.find((type) => type !== "float32" && type !== "uint8");
  if (other === undefined) return "float32";
  throw new OptionError(`${where}: expected inputs of float32 or uint8, got ${other}`);
}

/** Writes each byte as a float, by a table of what the 256 bytes become. */
function bytesToFloats(
  { kernels, inputs, x, table }: BuildContext,
  y: Buffer,
  of: (byte: number) => number,
): (n: number) => void {
  const floats = Float32Array.from({ length: 256 }, (_, byte) => of(byte));
  const [values, size] = [table(new Int32Array(floats.buffer)), sizeOf(onlyInput(inputs))];
  return (n) => kernels.lookUpBytes(values, false, n, size, 1, x.pointer, y.pointer);
}

export interface RescalingOptions {
  /** Inputs are multiplied by it: 1 / 255 brings bytes to [0, 1]. */
  scale: number;
  /** It is added then. Default: 0. */
  offset?: number | undefined;
  name?: string | undefined;
}

/**
 * `y = scale·x + offset` of floats or of bytes, as float32; scale, offset, product and sum are rounded to float32.
 * @throws OptionError naming the layer, the expected and the given.
 */
export function rescaling(options: RescalingOptions): Layer {
  const config = readOptions("rescaling", options, { scale: finiteNumber, offset: [finiteNumber, 0] });
  const [scale, offset] = [Math.fround(config.scale), Math.fround(config.offset)];
  return layerOf({
    type: "rescaling",
    name: options.name,
    config,
    outputType: floatsOf,
    outputShape: onlyInput,
    build(context): Pass<number> {
      const { kernels, output, x, y } = context;
      const size = sizeOf(output);
      const forward =
        x.dtype === "uint8"
          ? bytesToFloats(context, y, (byte) => Math.fround(byte * scale) + offset)
          : (n: number): void => kernels.rescaleForward(scale, offset, x.pointer, y.pointer, n * size);
      return { forward, state: scale };
    },
  });
}

export const rescalingGradient: Gradient<number> = ({ kernels, output, dx, dy }, scale) => {
  const size = sizeOf(output);
  return (n) => kernels.scaleForward(scale, dy.pointer, dx!.pointer, n * size);
};

const POSITIONS: Record<Interpolation, (from: number, to: number) => (i: number) => number> = {
  nearest: (from, to) => (i) => Math.floor(((2 * i + 1) * from) / (2 * to)),
  bilinear: (from, to) => (i) => ((2 * i + 1) * from - to) / (2 * to),
};

export interface ResizingOptions extends CropOptions {
  /** Default: `"bilinear"`. */
  interpolation?: Interpolation | undefined;
}

/**
 * Images of another size, `[h, w, c]` → `[height, width, c]`, of floats or of bytes, as float32. `"nearest"` takes the pixel
 * ⌊(i + ½)·h / height⌋; `"bilinear"` computes means of the two pixels around (i + ½)·h / height − ½ of each axis, without
 * antialiasing, as Keras does; the first and the last pixel continue beyond the edges.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function resizing(options: ResizingOptions): Layer {
  const config = readOptions("resizing", options, {
    ...CROP,
    interpolation: [choiceOf<Interpolation>(["nearest", "bilinear"]), "bilinear"],
  });
  const { height, width } = config;
  const position = POSITIONS[config.interpolation];
  return layerOf({
    type: "resizing",
    name: options.name,
    config,
    outputType: floatsOf,
    outputShape(inputs, where) {
      const [, , c] = imageOf(where, onlyInput(inputs, where));
      checkElements(where, [height, width, c]);
      return [height, width, c];
    },
    build(context): Pass<ResizeState> {
      const { capacity, inputs, name, workspace } = context;
      const [h, w, c] = imageOf(name, onlyInput(inputs));
      const isBytes = context.x.dtype === "uint8";
      const x = isBytes ? workspace(capacity * h * w * c) : context.x;
      const widen = isBytes ? bytesToFloats(context, x, Number) : () => {};
      const { forward, state } = resizePass(
        { ...context, x },
        context.tableOf(4 * height, () => resizeTable(h, height, position(h, height))),
        context.tableOf(4 * width, () => resizeTable(w, width, position(w, width))),
      );
      const pass = (n: number): void => {
        widen(n);
        forward(n);
      };
      return { forward: pass, state: state! };
    },
  });
}

export interface CropOptions {
  /** The rows of the result, and its columns. */
  height: number;
  width: number;
  name?: string | undefined;
}

const CROP = { height: sizeAlong, width: sizeAlong } as const;

/** The corner of the middle of an image: half of what is left over, rounded down. */
export function middleOf(
  image: readonly number[],
  { height, width }: CropOptions,
): [top: number, left: number] {
  return [Math.floor((image[0]! - height) / 2), Math.floor((image[1]! - width) / 2)];
}

/**
 * The middle of images, `height` × `width` pixels from the row ⌊(h − height) / 2⌋ on, of floats or of bytes.
 * @throws OptionError; ShapeError for images that are smaller
 */
export function centerCrop(options: CropOptions): Layer {
  return cropping("centerCrop", options, { differentiable: true, outputType: ([type = "float32"]) => type });
}

/** Each pixel of the middle is a patch of one pixel, whose window starts inside of the image; the others get zeros. */
export const centerCropGradient: Gradient = ({ kernels, name, inputs, output, dx, dy, window }) => {
  const [h, w, c] = imageOf(name, onlyInput(inputs));
  const [oh, ow] = output as [number, number];
  const [top, left] = middleOf([h, w], { height: oh, width: ow });
  const struct = window({ ...ONE_PIXEL, h, w, c, oh, ow, top: -top, left: -left });
  return (n) => kernels.col2im(struct, n, dy.pointer, dx!.pointer);
};

/** Makes a layer that takes the middle of images, with what it has besides. */
export function cropping(
  type: string,
  options: CropOptions,
  besides: Pick<LayerDefinition, "differentiable" | "outputType" | "hasTrainingPass">,
): Layer {
  const config = readOptions(type, options, CROP);
  const { height, width } = config;
  return layerOf({
    type,
    name: options.name,
    config,
    differentiable: false,
    ...besides,
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      if (h >= height && w >= width) return [height, width, c];
      throw new ShapeError(
        `${where}: expected an image of at least ${height}×${width} pixels, got ${h}×${w}`,
      );
    },
    build: middlePass,
  });
}

/** The pass that copies the middle of images of numbers of any type. */
function middlePass({ kernels, name, inputs, output, x, y }: BuildContext): Pass {
  const [h, w, c] = imageOf(name, onlyInput(inputs));
  const [rows, columns] = output as [number, number];
  const [top, left] = middleOf([h, w], { height: rows, width: columns });
  const pixel = c * bytesOf(x.dtype);
  const start = (top * w + left) * pixel;
  const forward = (n: number): void =>
    kernels.cropBytes(n, rows, columns * pixel, x.pointer + start, h * w * pixel, w * pixel, y.pointer);
  return { forward };
}
