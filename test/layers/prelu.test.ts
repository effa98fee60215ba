/** prelu: what it is made with, refuses and gives. The nets with it are in `prelu.cases.ts`. */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

const FIRST = "expected the first axes, 1, 2 …";

describeLayer("prelu", {
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
});
