/** The cases of flatten, reshape and permute: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

const TARGET = "expected positive integers, one of which may be -1";
const AXES = "expected the axes 1, 2 … in any order";

/** Images, also of one channel or one pixel, matrices and rows, of as many elements each. */
const SHAPES = [[3, 4, 2], [4, 6, 1], [1, 1, 24], [2, 2, 6], [6, 4], [24]];

export const flatten: LayerCases = {
  defaults: [layers.flatten(), {}],
  shapes: [
    [layers.flatten(), [3, 4, 2], [24]],
    [layers.flatten(), [5], [5]],
  ],
  refuses: {
    [`flatten: expected the options name; got "axis"`]: () => layers.flatten({ axis: 1 } as Any),
  },
  refusesInputs: {
    "flatten: expected one input, got 2": [layers.flatten(), [[3], [3]]],
  },
  gradients: { flatten: () => layers.flatten() },
  models: SHAPES.map((from) =>
    chain(`flatten of ${from.join("×")}`, from, () => [layers.flatten(), layers.dense({ units: 2 })]),
  ),
};

export const reshape: LayerCases = {
  defaults: [layers.reshape({ targetShape: [2, -1] }), { targetShape: [2, -1] }],
  shapes: [
    [layers.reshape({ targetShape: [6, 4] }), [3, 4, 2], [6, 4]],
    [layers.reshape({ targetShape: [2, -1, 4] }), [3, 4, 2], [2, 3, 4]],
    [layers.reshape({ targetShape: [-1] }), [3, 4, 2], [24]],
  ],
  refuses: {
    [`reshape: targetShape: ${TARGET}, got [-1,-1]`]: () => layers.reshape({ targetShape: [-1, -1] }),
    [`reshape: targetShape: ${TARGET}, got []`]: () => layers.reshape({ targetShape: [] }),
    [`reshape: targetShape: ${TARGET}, got 3`]: () => layers.reshape({ targetShape: 3 as Any }),
    [`reshape: targetShape: ${TARGET}, got [2,0]`]: () => layers.reshape({ targetShape: [2, 0] }),
  },
  refusesInputs: {
    "reshape: expected 12 elements for [3,4], got 24 (3×4×2)": [
      layers.reshape({ targetShape: [3, 4] }),
      [3, 4, 2],
    ],
    "reshape: expected a multiple of 5 elements for [5,-1], got 24 (3×4×2)": [
      layers.reshape({ targetShape: [5, -1] }),
      [3, 4, 2],
    ],
  },
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

export const permute: LayerCases = {
  defaults: [layers.permute({ dims: [2, 1] }), { dims: [2, 1] }],
  // As Keras: axis i of the output is axis dims[i] of the input.
  shapes: [
    [layers.permute({ dims: [3, 1, 2] }), [4, 5, 6], [6, 4, 5]],
    [layers.permute({ dims: [2, 3, 1] }), [4, 5, 6], [5, 6, 4]],
    [layers.permute({ dims: [1] }), [4], [4]],
  ],
  refuses: {
    [`permute: dims: ${AXES}, got [1,3]`]: () => layers.permute({ dims: [1, 3] }),
    [`permute: dims: ${AXES}, got [1,1,2]`]: () => layers.permute({ dims: [1, 1, 2] }),
    [`permute: dims: ${AXES}, got []`]: () => layers.permute({ dims: [] }),
    [`permute: dims: ${AXES}, got 2`]: () => layers.permute({ dims: 2 as Any }),
    [`permute: expected the options dims, name; got "perm"`]: () => layers.permute({ perm: [1] } as Any),
  },
  refusesInputs: {
    "permute: expected 2 dimensions, got 7×7×3": [layers.permute({ dims: [2, 1] }), [7, 7, 3]],
  },
  gradients: { permute: () => layers.permute({ dims: [3, 1, 2] }) },
  models: ORDERS.map((dims) =>
    chain(`permute ${dims.join(", ")}`, RANKS[dims.length - 1]!, () => [layers.permute({ dims })]),
  ),
};
