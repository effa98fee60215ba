/** conv1d: what it is made with, refuses and gives. The nets with it are in `conv1d.cases.ts`. */
import { layers, OptionError } from "../../src/index.ts";
import { conv1d, COUNT, PAIR, type Any } from "../support/options.ts";
import { margins } from "./support/cases.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("conv1d", {
  defaults: [
    layers.conv1d({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: 3,
      strides: 1,
      padding: "valid",
      dilationRate: 1,
      groups: 1,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: "causal" keeps ⌈steps / stride⌉ of them, as "same" does.
  shapes: [
    [layers.conv1d({ filters: 5, kernelSize: 3 }), [11, 4], [9, 5]],
    [layers.conv1d({ filters: 5, kernelSize: 4, strides: 3, padding: "same" }), [11, 4], [4, 5]],
    [layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 4, padding: "causal" }), [11, 4], [11, 2]],
    [layers.conv1d({ filters: 2, kernelSize: 3, strides: 2, padding: "causal" }), [11, 4], [6, 2]],
    [layers.conv1d({ filters: 6, kernelSize: 2, padding: [0, 3], groups: 2 }), [11, 4], [13, 6]],
  ],
  refuses: {
    [`conv1d: filters: ${COUNT}, got undefined`]: () => layers.conv1d({ kernelSize: 1 } as Any),
    [`conv1d: kernelSize: ${COUNT}, got [1,3]`]: () =>
      layers.conv1d({ filters: 1, kernelSize: [1, 3] as Any }),
    [`conv1d: strides: ${COUNT}, got 0`]: () => conv1d({ strides: 0 }),
    [`conv1d: dilationRate: ${COUNT}, got 1.5`]: () => conv1d({ dilationRate: 1.5 }),
    [`conv1d: groups: ${COUNT}, got -1`]: () => conv1d({ groups: -1 }),
    [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [[0,0],[1,1]]`]: () =>
      conv1d({ padding: margins(0, 0, 1, 1) }),
    [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [0,-1]`]: () =>
      conv1d({ padding: [0, -1] }),
    "conv1d: useBias: expected true or false, got 1": () => conv1d({ useBias: 1 }),
    [`name, filters, groups; got "stride"`]: () => conv1d({ stride: 2 }),
  },
  refusesInputs: {
    "conv1d: expected a sequence [steps, channels], got 7×7×3": [conv1d({}), [7, 7, 3]],
    "conv1d: expected at least 7 steps with their padding, got 5 + 0 + 1": [
      conv1d({ kernelSize: 3, dilationRate: 3, padding: [0, 1] }),
      [5, 3],
    ],
    "conv1d: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      conv1d({ groups: 2 }),
      [7, 3],
      OptionError,
    ],
  },
});
