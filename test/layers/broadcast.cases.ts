/** The cases of broadcast: its options, refusals, shapes and nets. */
import { layers, type SymbolicTensor } from "im2row";
import type { Any } from "../support/options.ts";
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

export const broadcast: LayerCases = {
  defaults: [layers.broadcast({ kind: "add" }), { kind: "add" }],
  shapes: [
    [layers.broadcast({ kind: "sub" }), [[4, 5, 3], [3]], [4, 5, 3]],
    [
      layers.broadcast({ kind: "mul" }),
      [
        [4, 1, 3],
        [5, 1],
      ],
      [4, 5, 3],
    ],
    [
      layers.broadcast({
        kind: "max",
        operands: [
          [4, 5],
          [4, 1],
        ],
        constant: 1,
      }),
      [4, 5],
      [4, 5],
    ],
  ],
  refuses: {
    'broadcast: kind: expected one of "add", "sub", "mul", "div", "min", "max", "pow"; got "mod"': () =>
      layers.broadcast({ kind: "mod" as Any }),
    "broadcast: constant: expected 0 or 1, got 2": () =>
      layers.broadcast({ kind: "add", operands: [[1], [1]], constant: 2 as Any }),
    "broadcast: operands: expected two shapes, one of them the constant's, got none": () =>
      layers.broadcast({ kind: "add", constant: 0 }),
    "broadcast: operands: expected two shapes of one rank, got [[2],[2,2]]": () =>
      layers.broadcast({ kind: "add", operands: [[2], [2, 2]] }),
    'broadcast: expected the options kind, operands, constant, name; got "axis"': () =>
      layers.broadcast({ kind: "add", axis: 1 } as Any),
  },
  refusesInputs: {
    "broadcast: expected two inputs, got 1": [layers.broadcast({ kind: "add" }), [4]],
    "broadcast: expected one input, got 2": [
      layers.broadcast({ kind: "add", operands: [[4], [1]], constant: 1 }),
      [[4], [4]],
    ],
    "broadcast: expected shapes that are the same along each axis or 1, got 4×3 and 1×2": [
      layers.broadcast({ kind: "add" }),
      [[4, 3], [2]],
    ],
    "broadcast: expected an input of 6 elements, got 4": [
      layers.broadcast({
        kind: "add",
        operands: [
          [2, 3],
          [1, 1],
        ],
        constant: 1,
      }),
      [4],
    ],
  },
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
      chain(`broadcast, ${kind} with a constant`, IMAGE, () => [
        layers.unary({ kind: "exp" }),
        layers.broadcast(
          kind === "div"
            ? { kind, operands: [[1, 8, 1], IMAGE], constant: 0 }
            : { kind, operands: [IMAGE, [1, 8, 1]], constant: 1 },
        ),
      ]),
    ),
    chain("broadcast, an image under another shape", IMAGE, () => [
      layers.broadcast({
        kind: "sub",
        operands: [
          [6, 3, 16],
          [1, 3, 16],
        ],
        constant: 1,
      }),
    ]),
  ],
};
