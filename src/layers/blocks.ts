/** Layers that trade rows and columns for channels. */
import { checkElements, imageOf } from "../kernels/window.ts";
import { transposition } from "../kernels/transposition.ts";
import { ShapeError } from "../errors.ts";
import { readOptions, sizeAlong } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import { onlyInput, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";

export interface BlockOptions {
  /** The rows, and the columns, of a block. */
  blockSize: number;
  name?: string | undefined;
}

/** The order of the axes of `[h, block, w, block, c]` behind a batch, from which it comes and into which it goes. */
const SWAPPED = [0, 2, 1, 3, 4];

function rearranged(
  type: string,
  { name, ...options }: BlockOptions,
  axesOf: (image: Shape, block: number, where: string) => { split: Shape; output: Shape },
): Layer {
  const config = readOptions(type, options, { blockSize: sizeAlong });
  const of = (image: Shape, where: string) => axesOf(imageOf(where, image), config.blockSize, where);
  return layerOf({
    type,
    outputType: typeOfInputs,
    name,
    config,
    isView: () => config.blockSize === 1,
    outputShape: (inputs, where) => of(onlyInput(inputs, where), where).output,
    build({ kernels, inputs, output, name: where, x, y, table }): Pass<Shape> {
      const { split } = of(onlyInput(inputs), where);
      const there = transposition(split, SWAPPED);
      const [axes, size] = [table(there.table), sizeOf(output)];
      const forward = (n: number): void => kernels.transpose(there.rank, axes, n, size, x.pointer, y.pointer);
      return { forward, state: split };
    },
  });
}

/** The gradients lie as the output, and go back to where the elements came from: the two axes change places again. */
export const blocksGradient: Gradient<Shape> = ({ kernels, output, dx, dy, table }, split) => {
  const back = transposition(
    SWAPPED.map((axis) => split[axis]!),
    SWAPPED,
  );
  const [axes, size] = [table(back.table), sizeOf(output)];
  return (n) => kernels.transpose(back.rank, axes, n, size, dy.pointer, dx!.pointer);
};

/**
 * Makes a block of b × b pixels of each pixel: `[h, w, b·b·c]` → `[h·b, w·b, c]`. The channels are ordered by the row in the
 * block, the column, then the depth, as in TensorFlow and in ONNX's `DCR` (PyTorch's `pixel_shuffle` has the depth first).
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function depthToSpace(options: BlockOptions): Layer {
  return rearranged("depthToSpace", options, ([h, w, c], b, where) => {
    const depth = c! / (b * b);
    if (!Number.isInteger(depth)) {
      throw new ShapeError(`${where}: expected a multiple of ${b * b} channels, got ${c}`);
    }
    const output = [h! * b, w! * b, depth];
    checkElements(where, output);
    return { split: [h!, w!, b, b, depth], output };
  });
}

/**
 * Makes a pixel of each block of b × b pixels: `[h·b, w·b, c]` → `[h, w, b·b·c]`, with the channels ordered by the row in
 * the block, the column, then the depth: `depthToSpace` backwards.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function spaceToDepth(options: BlockOptions): Layer {
  return rearranged("spaceToDepth", options, ([h, w, c], b, where) => {
    const [rows, columns] = [h! / b, w! / b];
    if (!Number.isInteger(rows) || !Number.isInteger(columns)) {
      throw new ShapeError(
        `${where}: expected height and width that ${b} divides, got ${shapeText([h!, w!])}`,
      );
    }
    return { split: [rows, b, columns, b, c!], output: [rows, columns, b * b * c!] };
  });
}
