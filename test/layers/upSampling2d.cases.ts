/** The nets with upSampling2d. */
import { layers } from "im2row";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

export const UP_SAMPLING2D: LayerCases = {
  gradients: {
    "upSampling2d, nearest": () => layers.upSampling2d({ size: [2, 3] }),
    "upSampling2d, bilinear": () => layers.upSampling2d({ size: [3, 2], interpolation: "bilinear" }),
  },
  models: (["nearest", "bilinear"] as const).flatMap((interpolation) =>
    [1, 2, [3, 1] as const, [4, 5] as const].map((size) =>
      chain(`upSampling2d, ${interpolation}, ${JSON.stringify(size)}`, IMAGE, () => [
        layers.upSampling2d({ size, interpolation }),
      ]),
    ),
  ),
};
