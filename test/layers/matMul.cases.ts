/** The cases of matMul: its options, refusals, shapes and nets. */
import { layers, type SymbolicTensor } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, merged, tanhConv, type LayerCases } from "./support/cases.ts";

/** Matrices of an image and those of another, turned. */
const turned = (x: SymbolicTensor): SymbolicTensor =>
  layers.permute({ dims: [1, 3, 2] }).apply(tanhConv().apply(x));

export const matMul: LayerCases = {
  defaults: [layers.matMul(), {}],
  // As numpy.matmul of matrices.
  shapes: [
    [
      layers.matMul(),
      [
        [4, 5, 6],
        [6, 3],
      ],
      [4, 5, 3],
    ],
    [
      layers.matMul(),
      [
        [2, 1, 5, 6],
        [4, 6, 3],
      ],
      [2, 4, 5, 3],
    ],
    [
      layers.matMul({
        operands: [
          [1, 2, 5],
          [6, 5, 4],
        ],
        constant: 0,
      }),
      [6, 5, 4],
      [6, 2, 4],
    ],
  ],
  refuses: {
    "matMul: constant: expected 0 or 1, got 2": () =>
      layers.matMul({
        operands: [
          [1, 1],
          [1, 1],
        ],
        constant: 2 as Any,
      }),
    "matMul: operands: expected two shapes, one of them the constant's, got none": () =>
      layers.matMul({ constant: 1 }),
    'matMul: expected the options operands, constant, name; got "transpose"': () =>
      layers.matMul({ transpose: true } as Any),
  },
  refusesInputs: {
    "matMul: expected matrices […, m, k] and […, k, n], got 5×6 and 5×6": [
      layers.matMul(),
      [
        [5, 6],
        [5, 6],
      ],
    ],
    "matMul: expected matrices […, m, k] and […, k, n], got 6 and 6": [layers.matMul(), [[6], [6]]],
    "matMul: expected shapes that are the same along each axis or 1, got 2 and 3": [
      layers.matMul(),
      [
        [2, 5, 6],
        [3, 6, 5],
      ],
    ],
    "matMul: expected two inputs, got 1": [layers.matMul(), [5, 5]],
  },
  gradients: {
    "matMul, as many of each": (x) => layers.matMul().apply([x, turned(x)]),
    "matMul, one of several with each": (x) => {
      const units = layers.dense({ units: 12 }).apply(layers.globalAveragePooling2d().apply(x));
      return layers.matMul().apply([x, layers.reshape({ targetShape: [4, 3] }).apply(units)]);
    },
    "matMul, each of several with one": (x) => {
      const units = layers.dense({ units: 15 }).apply(layers.globalAveragePooling2d().apply(x));
      return layers.matMul().apply([layers.reshape({ targetShape: [3, 5] }).apply(units), x]);
    },
    "matMul, by a constant": () =>
      layers.matMul({
        operands: [
          [6, 5, 4],
          [1, 4, 3],
        ],
        constant: 1,
      }),
    "matMul, a constant by it": () =>
      layers.matMul({
        operands: [
          [1, 3, 5],
          [6, 5, 4],
        ],
        constant: 0,
      }),
  },
  models: [
    merged(
      "matMul",
      [
        [5, 6],
        [6, 3],
      ],
      () => layers.matMul(),
    ),
    merged(
      "matMul",
      [
        [4, 5, 6],
        [6, 3],
      ],
      () => layers.matMul(),
    ),
    merged(
      "matMul",
      [
        [5, 6],
        [2, 3, 6, 4],
      ],
      () => layers.matMul(),
    ),
    merged(
      "matMul",
      [
        [2, 1, 5, 6],
        [3, 6, 4],
      ],
      () => layers.matMul(),
    ),
    chain("matMul, an image under another shape", IMAGE, () => [
      layers.matMul({
        operands: [
          [2, 3, 6, 8],
          [1, 1, 8, 5],
        ],
        constant: 1,
      }),
    ]),
    ...([0, 1] as const).map((constant) =>
      chain(`matMul, constant ${constant}`, IMAGE, () => [
        layers.matMul({
          operands: constant
            ? [
                [9, 8, 4],
                [1, 4, 5],
              ]
            : [
                [9, 5, 8],
                [9, 8, 4],
              ],
          constant,
        }),
      ]),
    ),
  ],
};
