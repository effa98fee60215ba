/** The cases of depthToSpace and spaceToDepth: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, margins, type LayerCases } from "./support/cases.ts";

export const depthToSpace: LayerCases = {
  defaults: [layers.depthToSpace({ blockSize: 2 }), { blockSize: 2 }],
  shapes: [
    [layers.depthToSpace({ blockSize: 2 }), [3, 5, 12], [6, 10, 3]],
    [layers.depthToSpace({ blockSize: 3 }), [1, 2, 9], [3, 6, 1]],
    [layers.depthToSpace({ blockSize: 1 }), [3, 5, 7], [3, 5, 7]],
  ],
  refuses: {
    [`depthToSpace: blockSize: ${COUNT}, got 0`]: () => layers.depthToSpace({ blockSize: 0 }),
    [`depthToSpace: blockSize: ${COUNT}, got undefined`]: () => layers.depthToSpace({} as Any),
    [`depthToSpace: expected the options blockSize, name; got "dataFormat"`]: () =>
      layers.depthToSpace({ blockSize: 2, dataFormat: "NCHW" } as Any),
  },
  refusesInputs: {
    "depthToSpace: expected a multiple of 4 channels, got 6": [
      layers.depthToSpace({ blockSize: 2 }),
      [3, 5, 6],
    ],
    "depthToSpace: expected an image [height, width, channels], got 5×8": [
      layers.depthToSpace({ blockSize: 2 }),
      [5, 8],
    ],
  },
  gradients: { depthToSpace: () => layers.depthToSpace({ blockSize: 2 }) },
  models: [
    chain("depthToSpace", [3, 2, 8], () => [layers.depthToSpace({ blockSize: 2 })]),
    chain("depthToSpace of three by three", [3, 2, 18], () => [
      layers.depthToSpace({ blockSize: 3 }),
      layers.conv2d({ filters: 2, kernelSize: 3 }),
    ]),
    chain("depthToSpace to one channel, and of a block of one", [3, 2, 4], () => [
      layers.depthToSpace({ blockSize: 2 }),
      layers.depthToSpace({ blockSize: 1 }),
      layers.flatten(),
    ]),
  ],
  digest: "6884304ad3a1c239",
};

export const spaceToDepth: LayerCases = {
  defaults: [layers.spaceToDepth({ blockSize: 2 }), { blockSize: 2 }],
  shapes: [
    [layers.spaceToDepth({ blockSize: 2 }), [6, 10, 3], [3, 5, 12]],
    [layers.spaceToDepth({ blockSize: 3 }), [3, 6, 1], [1, 2, 9]],
    [layers.spaceToDepth({ blockSize: 1 }), [3, 5, 7], [3, 5, 7]],
  ],
  refuses: {
    [`spaceToDepth: blockSize: ${COUNT}, got 1.5`]: () => layers.spaceToDepth({ blockSize: 1.5 }),
    [`spaceToDepth: blockSize: ${COUNT}, got undefined`]: () => layers.spaceToDepth({} as Any),
  },
  refusesInputs: {
    "spaceToDepth: expected height and width that 2 divides, got 4×5": [
      layers.spaceToDepth({ blockSize: 2 }),
      [4, 5, 1],
    ],
    "spaceToDepth: expected an image [height, width, channels], got 8": [
      layers.spaceToDepth({ blockSize: 2 }),
      [8],
    ],
  },
  gradients: {
    // Of six rows and five columns, the last four.
    spaceToDepth: (x) =>
      layers
        .spaceToDepth({ blockSize: 2 })
        .apply(layers.cropping2d({ cropping: margins(0, 0, 1, 0) }).apply(x)),
  },
  models: [
    chain("spaceToDepth", [6, 4, 2], () => [layers.spaceToDepth({ blockSize: 2 })]),
    chain("spaceToDepth of three by three", [6, 9, 1], () => [
      layers.spaceToDepth({ blockSize: 3 }),
      layers.conv2d({ filters: 2, kernelSize: 2 }),
    ]),
    chain("spaceToDepth and back", [6, 4, 3], () => [
      layers.spaceToDepth({ blockSize: 2 }),
      layers.depthToSpace({ blockSize: 2 }),
    ]),
  ],
  digest: "d133ee25167a5d85",
};
