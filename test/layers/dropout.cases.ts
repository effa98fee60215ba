/** The cases of dropout: its options, refusals, shapes and nets. */
import { input, layers, model } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

export const dropout: LayerCases = {
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
  gradients: { dropout: () => layers.dropout({ rate: 0.4 }) },
  models: [
    chain("dropout alone", IMAGE, () => [layers.dropout({ rate: 0.5 })]),
    chain("dropout at the end", IMAGE, () => [
      layers.conv2d({ filters: 2, kernelSize: 1 }),
      layers.dropout({ rate: 0.5 }),
    ]),
    chain("dropout in between", IMAGE, () => [
      layers.dropout({ rate: 0.5 }),
      layers.activation({ activation: "linear" }),
      layers.maxPooling2d(),
      layers.dropout({ rate: 0.5 }),
      layers.flatten(),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 2 }),
    ]),
    [
      "dropout of an output, and what reads both",
      () => {
        const x = input({ shape: IMAGE });
        const y = layers.maxPooling2d().apply(x);
        const same = layers.dropout({ rate: 0.5 }).apply(y);
        return model({ inputs: x, outputs: [y, same, layers.add().apply([y, same])] });
      },
    ],
  ],
};
