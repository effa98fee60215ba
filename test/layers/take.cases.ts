/** The nets with the layers that take what they give from indices of their input: take, resize; and constant, which takes none. */
import { layers } from "im2row";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

const HALVES: Parameters<typeof layers.resize>[0]["rows"] = {
  indices: [0, 1, 2],
  blends: [0, 1, 2].map((place) => [
    [place, 0.25],
    [place + 1, 0.75],
  ]),
};

export const TAKE: LayerCases = {
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
  isExported: false,
};

export const RESIZE: LayerCases = {
  gradients: {
    "resize, rows repeated": () =>
      layers.resize({ rows: { indices: [0, 0, 5, 3] }, columns: { indices: [4, 1] } }),
    "resize, blends of both": () => layers.resize({ rows: HALVES, columns: HALVES }),
  },
  models: [
    chain("resize", IMAGE, () => [layers.resize({ rows: { indices: [8, 0] }, columns: HALVES })]),
    chain("resize of both", IMAGE, () => [layers.resize({ rows: HALVES, columns: HALVES })]),
  ],
  isExported: false,
};

export const CONSTANT: LayerCases = {
  gradients: {
    "constant, a row beside an image": (x) =>
      layers.broadcast({ kind: "add" }).apply([x, layers.constant({ shape: [4] }).apply(x)]),
    "constant, of integers": (x) =>
      layers.where().apply([layers.constant({ shape: [4], integers: [1, 0, 0, 1] }).apply(x), x, x]),
  },
  models: [
    ...RANKS.map((shape) => chain(`constant of ${shape.join("×")}`, [3], () => [layers.constant({ shape })])),
    chain("constant of integers", [3], () => [
      layers.constant({ shape: [2, 2], integers: [1, -2, 2 ** 30, 0] }),
    ]),
  ],
  isExported: false,
};
