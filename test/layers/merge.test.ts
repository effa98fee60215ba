/** The layers of several values: what they are made with, refuse and give. The nets with them are in `merge.cases.ts`. */
import { layers } from "../../src/index.ts";
import type { Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("add", {
  defaults: [layers.add(), {}],
  shapes: [
    [layers.add(), [[5], [5], [5]], [5]],
    [layers.add(), [[4, 5, 3], [3]], [4, 5, 3]],
    [
      layers.add(),
      [
        [1, 1, 3],
        [4, 5, 3],
      ],
      [4, 5, 3],
    ],
  ],
  refuses: {
    [`add: expected the options name; got "axis"`]: () => layers.add({ axis: 1 } as Any),
  },
  refusesInputs: {
    "add: expected at least two inputs, got 1": [layers.add(), [[3]]],
    "add: expected inputs of one shape, or an image and a row of its channels, got 4×5×3 and 5": [
      layers.add(),
      [[4, 5, 3], [5]],
    ],
  },
});

describeLayer("multiply", {
  defaults: [layers.multiply(), {}],
  shapes: [
    [layers.multiply(), [[5], [5], [5]], [5]],
    [layers.multiply(), [[3], [4, 5, 3]], [4, 5, 3]],
    [
      layers.multiply(),
      [
        [4, 5, 3],
        [1, 1, 3],
      ],
      [4, 5, 3],
    ],
  ],
  refuses: {
    [`multiply: expected the options name; got "axis"`]: () => layers.multiply({ axis: 1 } as Any),
  },
  refusesInputs: {
    "multiply: expected at least two inputs, got 1": [layers.multiply(), [[3]]],
    "multiply: expected inputs of one shape, or an image and a row of its channels, got 3 and 4": [
      layers.multiply(),
      [[3], [4]],
    ],
  },
});

describeLayer("subtract", {
  defaults: [layers.subtract(), {}],
  shapes: [
    [
      layers.subtract(),
      [
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`subtract: expected the options name; got "axis"`]: () => layers.subtract({ axis: 1 } as Any),
  },
  refusesInputs: {
    "subtract: expected two inputs, got 3": [layers.subtract(), [[3], [3], [3]]],
    "subtract: expected inputs of one shape, got 3 and 4": [layers.subtract(), [[3], [4]]],
  },
});

describeLayer("average", {
  defaults: [layers.average(), {}],
  shapes: [
    [
      layers.average(),
      [
        [4, 5],
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`average: expected the options name; got "axis"`]: () => layers.average({ axis: 1 } as Any),
  },
  refusesInputs: {
    "average: expected inputs of one shape, got 4×3 and 3": [layers.average(), [[4, 3], [3]]],
  },
});

describeLayer("maximum", {
  defaults: [layers.maximum(), {}],
  shapes: [
    [
      layers.maximum(),
      [
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`maximum: expected the options name; got "axis"`]: () => layers.maximum({ axis: 1 } as Any),
  },
  refusesInputs: {
    "maximum: expected at least two inputs, got 1": [layers.maximum(), [[3]]],
  },
});

describeLayer("concatenate", {
  defaults: [layers.concatenate(), { axis: -1 }],
  // As Keras: axis 0 is the batch.
  shapes: [
    [
      layers.concatenate(),
      [
        [4, 5, 3],
        [4, 5, 2],
      ],
      [4, 5, 5],
    ],
    [
      layers.concatenate({ axis: 1 }),
      [
        [4, 5, 3],
        [1, 5, 3],
        [4, 5, 3],
      ],
      [9, 5, 3],
    ],
    [
      layers.concatenate({ axis: -2 }),
      [
        [4, 5, 3],
        [4, 6, 3],
      ],
      [4, 11, 3],
    ],
  ],
  refuses: {
    [`concatenate: axis: expected an integer other than 0, the batch, got 1.5`]: () =>
      layers.concatenate({ axis: 1.5 }),
    [`concatenate: axis: expected an integer other than 0, the batch, got 0`]: () =>
      layers.concatenate({ axis: 0 }),
  },
  refusesInputs: {
    "concatenate: expected at least two inputs, got 1": [layers.concatenate(), [[3]]],
    "concatenate: axis: expected from 1 to 2 or from -2 to -1 for 2 dimensions besides the batch, got 3": [
      layers.concatenate({ axis: 3 }),
      [
        [4, 5],
        [4, 5],
      ],
    ],
  },
});
