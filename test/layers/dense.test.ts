/** dense: what it is made with, refuses and gives. The nets with it are in `dense.cases.ts`. */
import { layers } from "../../src/index.ts";
import { COUNT, type Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("dense", {
  defaults: [
    layers.dense({ units: 2 }),
    {
      units: 2,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: it works over the last axis of any value.
  shapes: [
    [layers.dense({ units: 2 }), [5], [2]],
    [layers.dense({ units: 2 }), [4, 5], [4, 2]],
    [layers.dense({ units: 7 }), [3, 4, 5], [3, 4, 7]],
  ],
  refuses: {
    [`dense: units: ${COUNT}, got 0`]: () => layers.dense({ units: 0 }),
    "dense: useBias: expected true or false, got 0": () => layers.dense({ units: 1, useBias: 0 as Any }),
    [`"mish"; got null`]: () => layers.dense({ units: 1, activation: null as Any }),
    "dense: kernelInitializer: expected one of": () =>
      layers.dense({ units: 1, kernelInitializer: {} as Any }),
    [`useBias, kernelInitializer, biasInitializer, name; got "filters"`]: () =>
      layers.dense({ units: 1, filters: 1 } as Any),
  },
  refusesInputs: {
    "dense: expected one input, got 2": [layers.dense({ units: 1 }), [[3], [3]]],
  },
});
