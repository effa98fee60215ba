/** The cases of take, resize and constant: their options, refusals, shapes and nets. */
import { input, layers, model } from "im2row";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, RANKS, type LayerCases, type ModelCase } from "./support/cases.ts";

const ends = { indices: [0, 3] };

const HALVES: Parameters<typeof layers.resize>[0]["rows"] = {
  indices: [0, 1, 2],
  blends: [0, 1, 2].map((place) => [
    [place, 0.25],
    [place + 1, 0.75],
  ]),
};

export const take: LayerCases = {
  defaults: [layers.take({ axis: 1, indices: [1, -1] }), { axis: 1, indices: [1, -1] }],
  shapes: [
    [layers.take({ axis: 1, indices: [2, -1, 0, 0] }), [3, 5], [4, 5]],
    [layers.take({ axis: -1, indices: [4], fill: "-Infinity" }), [3, 5], [3, 1]],
    [layers.take({ axis: 2, indices: [0, 0], blends: [[[4, 1]], []] }), [3, 5, 2], [3, 2, 2]],
  ],
  refuses: {
    "take: axis: expected an integer other than 0, the batch, got 0": () =>
      layers.take({ axis: 0, indices: [0] }),
    "take: indices: expected integers from -1, got []": () => layers.take({ axis: 1, indices: [] }),
    "take: indices: expected integers from -1, got [-2]": () => layers.take({ axis: 1, indices: [-2] }),
    'take: fill: expected a number, got "0"': () => layers.take({ axis: 1, indices: [0], fill: "0" as Any }),
    "take: blends: expected 2 lists of [index, weight], got [[]]": () =>
      layers.take({ axis: 1, indices: [0, 0], blends: [[]] }),
    "take: blends: expected 1 lists of [index, weight], got [[[-1,1]]]": () =>
      layers.take({ axis: 1, indices: [0], blends: [[[-1, 1]]] }),
  },
  refusesInputs: {
    "take: expected an axis of at least 6 elements, got 5": [layers.take({ axis: 1, indices: [5] }), [5, 8]],
    "take: axis: expected from 1 to 2 or from -2 to -1 for 2 dimensions besides the batch, got -3": [
      layers.take({ axis: -3, indices: [0] }),
      [5, 8],
    ],
  },
  gradients: {
    "take, rows in another order": () => layers.take({ axis: 1, indices: [5, -1, 0, 0, 2], fill: 0.5 }),
    "take, a range of channels beyond their end": () => layers.take({ axis: -1, indices: [2, 3, -1] }),
    "take, blends of columns": () =>
      layers.take({
        axis: 2,
        indices: [0, 1, -1],
        blends: [
          [
            [0, 0.5],
            [3, -2],
            [4, 1],
          ],
          [[1, 3]],
          [],
        ],
      }),
  },
  models: RANKS.flatMap((shape) =>
    shape.map((size, i) =>
      chain(`take along ${i + 1} of ${shape.join("×")}`, shape, () => [
        layers.take({ axis: i + 1, indices: [size - 1, -1, 0], fill: -0.5 }),
        layers.take({
          axis: i + 1,
          indices: [0, 2],
          blends: [
            [
              [0, 0.5],
              [1, 2],
            ],
            [[2, -1]],
          ],
        }),
      ]),
    ),
  ),
};

export const resize: LayerCases = {
  defaults: [
    layers.resize({ rows: { indices: [0] }, columns: ends }),
    { rows: { indices: [0] }, columns: { indices: [0, 3] } },
  ],
  shapes: [[layers.resize({ rows: { indices: [0, 0, 1] }, columns: ends }), [2, 4, 3], [3, 2, 3]]],
  refuses: {
    "resize: rows: expected an object of options { indices: 2 }, got 2": () =>
      layers.resize({ rows: 2 as Any, columns: ends }),
    "resize: columns: indices: expected integers from -1, got []": () =>
      layers.resize({ rows: ends, columns: { indices: [] } }),
    "resize: rows: expected elements of one or two others each, got": () =>
      layers.resize({ rows: { indices: [0, -1] }, columns: ends }),
    "resize: columns: expected elements of one or two others each, got": () =>
      layers.resize({ rows: ends, columns: { indices: [0], blends: [[]] } }),
  },
  refusesInputs: {
    "resize: rows: expected an axis of at least 4 elements, got 3": [
      layers.resize({ rows: ends, columns: ends }),
      [3, 4, 2],
    ],
    "resize: expected an image [height, width, channels], got 3×4": [
      layers.resize({ rows: ends, columns: ends }),
      [3, 4],
    ],
  },
  gradients: {
    "resize, rows repeated": () =>
      layers.resize({ rows: { indices: [0, 0, 5, 3] }, columns: { indices: [4, 1] } }),
    "resize, blends of both": () => layers.resize({ rows: HALVES, columns: HALVES }),
  },
  models: [
    chain("resize", IMAGE, () => [layers.resize({ rows: { indices: [8, 0] }, columns: HALVES })]),
    chain("resize of both", IMAGE, () => [layers.resize({ rows: HALVES, columns: HALVES })]),
  ],
};

/** A net that chooses by integers, in another order, between a value and its negative. */
const chosen = (name: string, integers: number[], shape: number[]): ModelCase => [
  name,
  () => {
    const x = input({ shape });
    const own = layers.constant({ shape, integers }).apply(x);
    const moved = layers.take({ axis: 1, indices: [-1, 0], fill: 5 }).apply(own);
    return model({
      inputs: x,
      outputs: layers.where().apply([moved, x, layers.unary({ kind: "neg" }).apply(x)]),
    });
  },
];

export const constant: LayerCases = {
  defaults: [layers.constant({ shape: [2, 3] }), { shape: [2, 3] }],
  shapes: [
    [layers.constant({ shape: [2, 3] }), [5], [2, 3]],
    [layers.constant({ shape: [2] }), [4, 4, 1], [2]],
  ],
  refuses: {
    "constant: integers: expected 2 of them, got [1]": () => layers.constant({ shape: [2], integers: [1] }),
    "constant: integers: expected integers of 32 bits, got [1,0.5]": () =>
      layers.constant({ shape: [2], integers: [1, 0.5] }),
    "constant: integers: expected integers of 32 bits, got [2147483648]": () =>
      layers.constant({ shape: [1], integers: [2 ** 31] }),
    'constant: expected the options shape, integers, name; got "value"': () =>
      layers.constant({ shape: [1], value: 1 } as Any),
  },
  refusesInputs: {},
  gradients: {
    "constant, a row beside an image": (x) =>
      layers.broadcast({ kind: "add" }).apply([x, layers.constant({ shape: [4] }).apply(x)]),
    "constant, of integers": (x) =>
      layers.where().apply([layers.constant({ shape: [4], integers: [1, 0, 0, 1] }).apply(x), x, x]),
  },
  models: [
    ...RANKS.map((shape) => chain(`constant of ${shape.join("×")}`, [3], () => [layers.constant({ shape })])),
    chosen("constant of integers", [1, -2, 2 ** 30, 0], [2, 2]),
    chosen("constant of integers as an image", [0, 2 ** 25 + 1, 0, 0, -1, 0, 3, 0], [2, 2, 2]),
  ],
};
