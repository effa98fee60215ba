/** The cases of where: its options, refusals, shapes and nets. */
import { layers, type SymbolicTensor } from "im2row";
import type { Any } from "../support/options.ts";
import { gate, IMAGE, merged, RANKS, tanhConv, type LayerCases } from "./support/cases.ts";

/** A constant of zeros and ones. */
const flags = (x: SymbolicTensor, shape: number[]): SymbolicTensor => {
  const integers = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => ((i * 7) % 3) % 2);
  return layers.constant({ shape, integers }).apply(x);
};

export const where: LayerCases = {
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
};
