/** The cases of the layers of noise besides dropout: their options, refusals, shapes and nets. */
import { layers, type Layer } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

type Rated = "alphaDropout" | "gaussianDropout" | "spatialDropout2d";

/** Those whose option is a rate. */
const rated = (type: Rated, shapes: number[][], digest: string): LayerCases => {
  const layer = (rate: unknown): Layer => layers[type]({ rate } as Any);
  const IN = `${type}: rate: expected a number ≥ 0 and < 1, got`;
  return {
    defaults: [layer(0.5), { rate: 0.5 }],
    shapes: shapes.map((shape) => [layer(0.3), shape, shape]),
    refuses: {
      [`${IN} 1`]: () => layer(1),
      [`${IN} -0.1`]: () => layer(-0.1),
      [`${IN} undefined`]: () => layers[type]({} as Any),
      [`${type}: expected the options rate, name; got "seed"`]: () =>
        layers[type]({ rate: 0.1, seed: 1 } as Any),
    },
    refusesInputs: {
      [`${type}: expected one input, got 2`]: [layer(0.5), [IMAGE, IMAGE]],
      ...(type === "spatialDropout2d" && {
        "spatialDropout2d: expected an image [height, width, channels], got 5×6": [layer(0.5), [5, 6]],
      }),
    },
    gradients: { [type]: () => layer(0.3), [`${type} of nothing`]: () => layer(0) },
    models: shapes.map((shape) =>
      chain(`${type} of ${shape.join("×")}`, shape, () => [
        layer(0.5),
        layers.activation({ activation: "tanh" }),
        layer(0.25),
      ]),
    ),
    digest,
  };
};

export const alphaDropout = rated("alphaDropout", RANKS, "b920f08f98220a1f");
export const gaussianDropout = rated("gaussianDropout", RANKS, "311394554cdd63f8");
export const spatialDropout2d = rated("spatialDropout2d", [IMAGE, [1, 1, 3]], "147d0cac16a212e0");

export const gaussianNoise: LayerCases = {
  defaults: [layers.gaussianNoise({ stddev: 0.5 }), { stddev: 0.5 }],
  shapes: RANKS.map((shape) => [layers.gaussianNoise({ stddev: 0.1 }), shape, shape]),
  refuses: {
    "gaussianNoise: stddev: expected a finite number ≥ 0, got -1": () => layers.gaussianNoise({ stddev: -1 }),
    "gaussianNoise: stddev: expected a finite number ≥ 0, got NaN": () =>
      layers.gaussianNoise({ stddev: NaN }),
  },
  refusesInputs: {
    "gaussianNoise: expected one input, got 2": [layers.gaussianNoise({ stddev: 0.5 }), [[3], [3]]],
  },
  gradients: {
    gaussianNoise: () => layers.gaussianNoise({ stddev: 0.25 }),
    "gaussianNoise of nothing": () => layers.gaussianNoise({ stddev: 0 }),
  },
  models: RANKS.map((shape) =>
    chain(`gaussianNoise of ${shape.join("×")}`, shape, () => [
      layers.gaussianNoise({ stddev: 2 }),
      layers.activation({ activation: "tanh" }),
    ]),
  ),
  digest: "1d92ba379a354dd5",
};
