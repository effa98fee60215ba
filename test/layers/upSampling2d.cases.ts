/** The cases of upSampling2d: its options, refusals, shapes and nets. */
import { layers } from "im2row";
import { SIZE, type Any } from "../support/options.ts";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

export const upSampling2d: LayerCases = {
  defaults: [layers.upSampling2d(), { size: [2, 2], interpolation: "nearest" }],
  shapes: [
    [layers.upSampling2d(), [5, 4, 3], [10, 8, 3]],
    [layers.upSampling2d({ size: [3, 1], interpolation: "bilinear" }), [5, 4, 3], [15, 4, 3]],
  ],
  refuses: {
    [`upSampling2d: size: ${SIZE}, got 0.5`]: () => layers.upSampling2d({ size: 0.5 }),
    [`upSampling2d: interpolation: expected one of "nearest", "bilinear"; got "bicubic"`]: () =>
      layers.upSampling2d({ interpolation: "bicubic" as Any }),
    [`upSampling2d: expected the options size, interpolation, name; got "factor"`]: () =>
      layers.upSampling2d({ factor: 2 } as Any),
  },
  refusesInputs: {
    "upSampling2d: expected at most 1073741824 elements in an image, got 458752×458752×3": [
      layers.upSampling2d({ size: 2 ** 16 }),
      [7, 7, 3],
    ],
    "upSampling2d: expected an image [height, width, channels], got 7×7": [layers.upSampling2d(), [7, 7]],
  },
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
