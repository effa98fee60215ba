/** dropout: what it is made with, refuses and gives. The nets with it are in `dropout.cases.ts`. */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("dropout", {
  defaults: [layers.dropout({ rate: 0.5 }), { rate: 0.5 }],
  shapes: [
    [layers.dropout({ rate: 0 }), [5], [5]],
    [layers.dropout({ rate: 0.9 }), [2, 3, 4], [2, 3, 4]],
  ],
  refuses: {
    "dropout: rate: expected a number ≥ 0 and < 1, got 1": () => layers.dropout({ rate: 1 }),
    "dropout: rate: expected a number ≥ 0 and < 1, got -0.1": () => layers.dropout({ rate: -0.1 }),
    "dropout: rate: expected a number ≥ 0 and < 1, got undefined": () => layers.dropout({} as Any),
  },
  refusesInputs: {
    "dropout: expected one input, got 2": [layers.dropout({ rate: 0.5 }), [[3], [3]]],
  },
});
