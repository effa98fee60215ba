/** The cases of prelu: its options, refusals, shapes and nets. */
import { layers } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

const FIRST = "expected the first axes, 1, 2 …";

export const prelu: LayerCases = {
  defaults: [layers.prelu(), { alphaInitializer: "zeros", sharedAxes: [] }],
  shapes: [
    [layers.prelu(), [5], [5]],
    [layers.prelu({ sharedAxes: [2, 1] }), [5, 4, 3], [5, 4, 3]],
  ],
  refuses: {
    [`prelu: sharedAxes: ${FIRST}, got [3]`]: () => layers.prelu({ sharedAxes: [3] }),
    [`prelu: sharedAxes: ${FIRST}, got [1,1]`]: () => layers.prelu({ sharedAxes: [1, 1] }),
    [`prelu: sharedAxes: ${FIRST}, got 1`]: () => layers.prelu({ sharedAxes: 1 as Any }),
    "prelu: alphaInitializer: expected one of": () => layers.prelu({ alphaInitializer: 0.25 as Any }),
    [`prelu: expected the options alphaInitializer, sharedAxes, name; got "alpha"`]: () =>
      layers.prelu({ alpha: 1 } as Any),
  },
  refusesInputs: {
    "prelu: expected at least 3 dimensions, got 7×3": [layers.prelu({ sharedAxes: [1, 2, 3] }), [7, 3]],
  },
  gradients: {
    prelu: () => layers.prelu({ alphaInitializer: { constant: 0.25 } }),
    "prelu, a slope a channel": () =>
      layers.prelu({ alphaInitializer: { constant: -0.5 }, sharedAxes: [1, 2] }),
    "prelu, one slope": () => layers.prelu({ sharedAxes: [3, 1, 2] }),
  },
  models: RANKS.flatMap((shape) =>
    [...shape.keys(), shape.length].map((count) => {
      const sharedAxes = Array.from({ length: count }, (_, i) => i + 1);
      return chain(`prelu of ${shape.join("×")}, ${count} axes shared`, shape, () => [
        layers.prelu({ sharedAxes }),
      ]);
    }),
  ),
};
