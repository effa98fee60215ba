/** take, resize and constant: what they are made with, refuse and give. The nets with them are in `take.cases.ts`. */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

const ends = { indices: [0, 3] };

describeLayer("take", {
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
});

describeLayer("resize", {
  defaults: [
    layers.resize({ rows: { indices: [0] }, columns: ends }),
    { rows: { indices: [0] }, columns: { indices: [0, 3] } },
  ],
  shapes: [[layers.resize({ rows: { indices: [0, 0, 1] }, columns: ends }), [2, 4, 3], [3, 2, 3]]],
  refuses: {
    "resize: rows: expected { indices, blends }, got 2": () =>
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
});

describeLayer("constant", {
  defaults: [layers.constant({ shape: [2, 3] }), { shape: [2, 3] }],
  shapes: [
    [layers.constant({ shape: [2, 3] }), [5], [2, 3]],
    [layers.constant({ shape: [2], integers: [1, 2] }), [4, 4, 1], [2]],
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
});
