/** The nets with the layers that give an image another shape: flatten, reshape, permute. */
import { layers } from "im2row";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

/** Images, also of one channel or one pixel, matrices and rows, of as many elements each. */
const SHAPES = [[3, 4, 2], [4, 6, 1], [1, 1, 24], [2, 2, 6], [6, 4], [24]];

export const FLATTEN: LayerCases = {
  gradients: { flatten: () => layers.flatten() },
  models: SHAPES.map((from) =>
    chain(`flatten of ${from.join("×")}`, from, () => [layers.flatten(), layers.dense({ units: 2 })]),
  ),
};

export const RESHAPE: LayerCases = {
  gradients: { reshape: () => layers.reshape({ targetShape: [3, -1, 8] }) },
  models: SHAPES.flatMap((from) =>
    SHAPES.map((targetShape) =>
      chain(`reshape of ${from.join("×")} to ${targetShape.join("×")}`, from, () => [
        layers.reshape({ targetShape }),
      ]),
    ),
  ),
};

/** Orders of each number of axes: of an image all. */
const ORDERS = [[1], [2, 1], [1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1], [4, 1, 3, 2]];

export const PERMUTE: LayerCases = {
  gradients: { permute: () => layers.permute({ dims: [3, 1, 2] }) },
  models: ORDERS.map((dims) =>
    chain(`permute ${dims.join(", ")}`, RANKS[dims.length - 1]!, () => [layers.permute({ dims })]),
  ),
};
