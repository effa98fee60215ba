/** The nets with prelu. */
import { layers } from "im2row";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

export const PRELU: LayerCases = {
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
