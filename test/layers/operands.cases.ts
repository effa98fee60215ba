/** The nets with the layers whose operands are broadcast: broadcast, matMul, where. */
import { layers, type SymbolicTensor } from "im2row";
import {
  chain,
  gate,
  IMAGE,
  merged,
  RANKS,
  tanhConv,
  type LayerCases,
  type ModelCase,
} from "./support/cases.ts";

/** Positive values up to e. */
const positive = (x: SymbolicTensor): SymbolicTensor =>
  layers.unary({ kind: "exp" }).apply(tanhConv().apply(x));

/** Rows of an image at some distance. Each has one channel, so that no weight of the first layer changes their order. */
const rows = (x: SymbolicTensor): [SymbolicTensor, SymbolicTensor] => [
  layers.take({ axis: 1, indices: [0, 1, 2] }).apply(x),
  layers.take({ axis: 1, indices: [3, 4, 5] }).apply(x),
];

/** Shapes that are broadcast to one another, on either side and on both. */
const PAIRS = [
  ...RANKS.map((shape) => [shape, shape]),
  [IMAGE, [4]],
  [[8, 1], IMAGE],
  [
    [5, 1],
    [1, 6],
  ],
];

/** Values of either sign are no base of a power, and those near zero no divisor. */
const KINDS = ["add", "sub", "mul", "min", "max"] as const;

export const BROADCAST: LayerCases = {
  gradients: {
    "broadcast, add an image and a row": (x) => layers.broadcast({ kind: "add" }).apply([x, gate(x)]),
    "broadcast, a row without an image": (x) => layers.broadcast({ kind: "sub" }).apply([gate(x), x]),
    "broadcast, an image times a column": (x) =>
      layers
        .broadcast({ kind: "mul" })
        .apply([x, layers.take({ axis: 1, indices: [2] }).apply(tanhConv().apply(x))]),
    "broadcast, a quotient": (x) => layers.broadcast({ kind: "div" }).apply([x, positive(x)]),
    "broadcast, an image by a row": (x) => layers.broadcast({ kind: "div" }).apply([x, gate(x)]),
    "broadcast, a power": (x) => layers.broadcast({ kind: "pow" }).apply([positive(x), x]),
    "broadcast, a power of a row": (x) => layers.broadcast({ kind: "pow" }).apply([gate(x), x]),
    "broadcast, the largest": (x) => layers.broadcast({ kind: "max" }).apply(rows(x)),
    "broadcast, the smallest": (x) => layers.broadcast({ kind: "min" }).apply(rows(x)),
    "broadcast, times a constant": () =>
      layers.broadcast({
        kind: "mul",
        operands: [
          [6, 5, 4],
          [1, 5, 1],
        ],
        constant: 1,
      }),
    "broadcast, a constant without it": () =>
      layers.broadcast({
        kind: "sub",
        operands: [
          [1, 1, 4],
          [6, 5, 4],
        ],
        constant: 0,
      }),
  },
  models: [
    ...KINDS.flatMap((kind) =>
      PAIRS.map((shapes) => merged(`broadcast, ${kind}`, shapes, () => layers.broadcast({ kind }))),
    ),
    ...(["div", "pow"] as const).map((kind): ModelCase =>
      chain(`broadcast, ${kind} of a constant`, IMAGE, () => [
        layers.unary({ kind: "exp" }),
        layers.broadcast({ kind, operands: [[1, 8, 1], IMAGE as [number, number, number]], constant: 0 }),
      ]),
    ),
  ],
  isExported: false,
};

/** Matrices of an image and those of another, turned. */
const turned = (x: SymbolicTensor): SymbolicTensor =>
  layers.permute({ dims: [1, 3, 2] }).apply(tanhConv().apply(x));

export const MAT_MUL: LayerCases = {
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
  isExported: false,
};

/** A constant of zeros and ones. */
const flags = (x: SymbolicTensor, shape: number[]): SymbolicTensor => {
  const integers = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 7) % 3) % 2);
  return layers.constant({ shape, integers }).apply(x);
};

export const WHERE: LayerCases = {
  gradients: {
    "where, of images": (x) => layers.where().apply([flags(x, [6, 5, 4]), x, tanhConv().apply(x)]),
    "where, of a row and an image": (x) => layers.where().apply([flags(x, [6, 5, 1]), gate(x), x]),
    "where, of an image and a row": (x) => layers.where().apply([flags(x, [4]), x, gate(x)]),
  },
  models: [
    ...RANKS.map((shape) => merged("where", [shape, shape, shape], () => layers.where())),
    merged("where", [[1], IMAGE, [8, 1]], () => layers.where()),
    merged("where", [IMAGE, [4], [1, 8, 1]], () => layers.where()),
  ],
  isExported: false,
};
