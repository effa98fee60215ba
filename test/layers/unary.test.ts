/** unary: what it is made with, refuses and gives. The nets with it are in `unary.cases.ts`. */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("unary", {
  defaults: [layers.unary({ kind: "abs" }), { kind: "abs", alpha: 0, beta: 0 }],
  shapes: [
    [layers.unary({ kind: "neg" }), [5], [5]],
    [layers.unary({ kind: "clip", beta: "Infinity" }), [4, 5, 3], [4, 5, 3]],
  ],
  refuses: {
    'unary: kind: expected one of "abs", "neg", "sqrt",': () => layers.unary({ kind: "sin" as Any }),
    "unary: alpha: expected a number, got []": () => layers.unary({ kind: "clip", alpha: [] as Any }),
    'unary: beta: expected a number, got "1"': () => layers.unary({ kind: "clip", beta: "1" as Any }),
    'unary: expected the options kind, alpha, beta, name; got "min"': () =>
      layers.unary({ kind: "clip", min: 0 } as Any),
  },
  refusesInputs: {
    "unary: expected one input, got 2": [layers.unary({ kind: "abs" }), [[3], [3]]],
  },
});
