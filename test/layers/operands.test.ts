/**
 * broadcast, matMul and where, whose operands are broadcast as in NumPy: what they are made with, refuse and give. The nets with
 * them are in `operands.cases.ts`.
 */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("broadcast", {
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
});

describeLayer("matMul", {
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
});

describeLayer("where", {
  defaults: [layers.where(), {}],
  shapes: [
    [
      layers.where(),
      [
        [4, 5, 3],
        [4, 5, 3],
        [4, 5, 3],
      ],
      [4, 5, 3],
    ],
    [layers.where(), [[5, 1], [3], [4, 1, 1]], [4, 5, 3]],
  ],
  refuses: {
    'where: expected the options name; got "condition"': () => layers.where({ condition: 1 } as Any),
  },
  refusesInputs: {
    "where: expected three inputs, got 2": [layers.where(), [[4], [4]]],
    "where: expected shapes that are the same along each axis or 1, got 4 and 2 and 1": [
      layers.where(),
      [[4], [2], [1]],
    ],
  },
});
