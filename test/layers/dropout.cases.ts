/** The nets with dropout: in inference it writes nothing, and its value has to have a name all the same. */
import { input, layers, model } from "im2row";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

export const DROPOUT: LayerCases = {
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
