/** The cases of unitNormalization: its options, refusals, shapes and nets. */
import { layers } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

const AXES = "unitNormalization: axis: expected";

export const unitNormalization: LayerCases = {
  defaults: [layers.unitNormalization(), { axis: [-1] }],
  shapes: [
    [layers.unitNormalization(), [7], [7]],
    [layers.unitNormalization({ axis: [-3, -1, -2] }), [4, 5, 6], [4, 5, 6]],
  ],
  refuses: {
    [`${AXES} negative integers, counted from the last axis, got 1`]: () =>
      layers.unitNormalization({ axis: 1 }),
    [`${AXES} the last axes, -1, -2 …, got [-2]`]: () => layers.unitNormalization({ axis: [-2] }),
    [`unitNormalization: expected the options axis, name; got "epsilon"`]: () =>
      layers.unitNormalization({ epsilon: 1 } as Any),
  },
  refusesInputs: {
    "unitNormalization: expected at least 2 axes, got 5": [layers.unitNormalization({ axis: [-1, -2] }), [5]],
  },
  gradients: {
    unitNormalization: () => layers.unitNormalization(),
    "unitNormalization of images": () => layers.unitNormalization({ axis: [-1, -2, -3] }),
  },
  models: [
    ...RANKS.map((shape) =>
      chain(`unitNormalization of ${shape.join("×")}`, shape, () => [layers.unitNormalization()]),
    ),
    chain("unitNormalization of images", [5, 4, 3], () => [layers.unitNormalization({ axis: [-1, -2, -3] })]),
    chain("unitNormalization of rows of pixels", [5, 4, 3], () => [
      layers.unitNormalization({ axis: [-1, -2] }),
      layers.conv2d({ filters: 2, kernelSize: 2 }),
    ]),
  ],
  digest: "05172b01d3d02da0",
};
