/** The nets with the layers that give an image another margin: zeroPadding2d, cropping2d. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const ZERO_PADDING2D: LayerCases = {
  gradients: { zeroPadding2d: () => layers.zeroPadding2d({ padding: margins(2, 0, 1, 1) }) },
  models: [
    chain("zeroPadding2d", IMAGE, () => [layers.zeroPadding2d({ padding: margins(1, 0, 2, 3) })]),
    chain("zeroPadding2d of nothing", IMAGE, () => [layers.zeroPadding2d({ padding: 0 })]),
  ],
};

export const CROPPING2D: LayerCases = {
  gradients: { cropping2d: () => layers.cropping2d({ cropping: margins(2, 1, 0, 1) }) },
  models: [
    chain("cropping2d", IMAGE, () => [layers.cropping2d({ cropping: margins(1, 2, 3, 0) })]),
    chain("cropping2d of nothing", IMAGE, () => [layers.cropping2d({ cropping: 0 })]),
  ],
};
