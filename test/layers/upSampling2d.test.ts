/** upSampling2d: what it is made with, refuses and gives. The nets with it are in `upSampling2d.cases.ts`. */
import { layers } from "../../src/index.ts";
import { SIZE, type Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("upSampling2d", {
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
});
