/** The cases of zeroPadding2d and cropping2d: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

const MARGIN = "expected an integer ≥ 0, [rows, columns] or [[top, bottom], [left, right]] of them";

export const zeroPadding2d: LayerCases = {
  defaults: [layers.zeroPadding2d(), { padding: margins(1, 1, 1, 1) }],
  shapes: [
    [layers.zeroPadding2d({ padding: 2 }), [5, 4, 3], [9, 8, 3]],
    [layers.zeroPadding2d({ padding: [1, 3] }), [5, 4, 3], [7, 10, 3]],
    [layers.zeroPadding2d({ padding: margins(1, 0, 2, 3) }), [5, 4, 3], [6, 9, 3]],
  ],
  refuses: {
    [`zeroPadding2d: padding: ${MARGIN}, got -1`]: () => layers.zeroPadding2d({ padding: -1 }),
    [`zeroPadding2d: padding: ${MARGIN}, got [1,[1,1]]`]: () =>
      layers.zeroPadding2d({ padding: [1, [1, 1]] as Any }),
    [`zeroPadding2d: expected the options padding, name; got "size"`]: () =>
      layers.zeroPadding2d({ size: 1 } as Any),
  },
  refusesInputs: {
    "zeroPadding2d: expected at most 1073741824 elements in an image, got 131079×131079×3": [
      layers.zeroPadding2d({ padding: 2 ** 16 }),
      [7, 7, 3],
    ],
    "zeroPadding2d: expected an image [height, width, channels], got 7×3": [layers.zeroPadding2d(), [7, 3]],
  },
  gradients: { zeroPadding2d: () => layers.zeroPadding2d({ padding: margins(2, 0, 1, 1) }) },
  models: [
    chain("zeroPadding2d", IMAGE, () => [layers.zeroPadding2d({ padding: margins(1, 0, 2, 3) })]),
    chain("zeroPadding2d of nothing", IMAGE, () => [layers.zeroPadding2d({ padding: 0 })]),
  ],
};

export const cropping2d: LayerCases = {
  defaults: [layers.cropping2d({ cropping: 1 }), { cropping: margins(1, 1, 1, 1) }],
  shapes: [
    [layers.cropping2d({ cropping: 1 }), [5, 4, 3], [3, 2, 3]],
    [layers.cropping2d({ cropping: [2, 1] }), [5, 4, 3], [1, 2, 3]],
    [layers.cropping2d({ cropping: margins(1, 2, 0, 3) }), [5, 4, 3], [2, 1, 3]],
  ],
  refuses: {
    [`cropping2d: cropping: ${MARGIN}, got undefined`]: () => layers.cropping2d({} as Any),
    [`cropping2d: expected the options cropping, name; got "size"`]: () =>
      layers.cropping2d({ cropping: 1, size: 1 } as Any),
  },
  refusesInputs: {
    "cropping2d: expected an image of more than 4×2 pixels, got 4×6": [
      layers.cropping2d({ cropping: [2, 1] }),
      [4, 6, 3],
    ],
    "cropping2d: expected an image [height, width, channels], got 7×3": [
      layers.cropping2d({ cropping: 1 }),
      [7, 3],
    ],
  },
  gradients: { cropping2d: () => layers.cropping2d({ cropping: margins(2, 1, 0, 1) }) },
  models: [
    chain("cropping2d", IMAGE, () => [layers.cropping2d({ cropping: margins(1, 2, 3, 0) })]),
    chain("cropping2d of nothing", IMAGE, () => [layers.cropping2d({ cropping: 0 })]),
  ],
};
