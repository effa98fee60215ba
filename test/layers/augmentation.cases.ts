/** The cases of the layers that change images at random in training: their options, refusals, shapes and nets. */
import { layers, type Layer } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

const FACTOR = "expected a number from 0 to 1, or [low, high] from -1 to 1, got";
const RANGE = "valueRange: expected [low, high] of finite numbers, got";
const SAMPLING = { fillMode: "reflect", interpolation: "bilinear", fillValue: 0 };

/** What all of them are like that keep the size: no gradient goes back, so that they stand in front of all that learns. */
function augmenting(
  type: keyof typeof layers,
  make: (options: object) => Layer,
  required: object,
  defaults: object,
  refuses: Record<string, object>,
  digest: string,
): LayerCases {
  return {
    defaults: [make(required), defaults],
    shapes: [
      [make(required), [5, 4, 3], [5, 4, 3]],
      [make(required), [1, 1, 1], [1, 1, 1]],
    ],
    refuses: Object.fromEntries([
      ...Object.entries(refuses).map(([message, options]) => [
        `${type}: ${message}`,
        () => make({ ...required, ...options }),
      ]),
      [`name; got "seed"`, () => make({ ...required, seed: 1 })],
    ]),
    refusesInputs: {
      [`${type}: expected an image [height, width, channels], got 5×6`]: [make(required), [5, 6]],
      [`${type}: expected one input, got 2`]: [make(required), [IMAGE, IMAGE]],
    },
    gradients: {},
    models: [
      chain(`${type} alone`, IMAGE, () => [make(required)]),
      chain(`${type} in front of a net`, IMAGE, () => [
        make(required),
        layers.conv2d({ filters: 2, kernelSize: 3 }),
        layers.flatten(),
      ]),
    ],
    digest,
  };
}

export const randomFlip = augmenting(
  "randomFlip",
  (options) => layers.randomFlip(options),
  {},
  { mode: "horizontalAndVertical" },
  {
    [`mode: expected one of "horizontal", "vertical", "horizontalAndVertical"; got "both"`]: { mode: "both" },
  },
  "5881c349e3efcb8c",
);

export const randomTranslation = augmenting(
  "randomTranslation",
  (options) => layers.randomTranslation(options as Any),
  { heightFactor: 0.2, widthFactor: [-0.1, 0.3] },
  { heightFactor: [-0.2, 0.2], widthFactor: [-0.1, 0.3], ...SAMPLING },
  {
    [`heightFactor: ${FACTOR} 2`]: { heightFactor: 2 },
    [`widthFactor: ${FACTOR} [0.3,-0.1]`]: { widthFactor: [0.3, -0.1] },
    [`widthFactor: ${FACTOR} undefined`]: { widthFactor: undefined },
    [`fillMode: expected one of "constant", "nearest", "reflect", "wrap"; got "mirror"`]: {
      fillMode: "mirror",
    },
    [`interpolation: expected one of "bilinear", "nearest"; got "bicubic"`]: { interpolation: "bicubic" },
    "fillValue: expected a finite number, got NaN": { fillValue: NaN },
  },
  "696e0f7a34d59e00",
);

export const randomRotation = augmenting(
  "randomRotation",
  (options) => layers.randomRotation(options as Any),
  { factor: 0.1, fillMode: "constant", interpolation: "nearest", fillValue: 3 },
  { factor: [-0.1, 0.1], fillMode: "constant", interpolation: "nearest", fillValue: 3 },
  { [`factor: ${FACTOR} [-2,0]`]: { factor: [-2, 0] }, [`factor: ${FACTOR} -0.1`]: { factor: -0.1 } },
  "f9d09de4fdaf9452",
);

export const randomZoom = augmenting(
  "randomZoom",
  (options) => layers.randomZoom(options as Any),
  { heightFactor: [-0.5, 0.2] },
  { heightFactor: [-0.5, 0.2], ...SAMPLING },
  {
    [`heightFactor: ${FACTOR} undefined`]: { heightFactor: undefined },
    [`widthFactor: ${FACTOR} 3`]: { widthFactor: 3 },
  },
  "95a224cfb52163be",
);

export const randomContrast = augmenting(
  "randomContrast",
  (options) => layers.randomContrast(options as Any),
  { factor: 0.4 },
  { factor: [0.4, 0.4], valueRange: [0, 255] },
  {
    "factor: expected a number from 0 to 1, or [lower, upper] of them, got [-0.1,0.1]": {
      factor: [-0.1, 0.1],
    },
    "factor: expected a number from 0 to 1, or [lower, upper] of them, got 1.5": { factor: 1.5 },
    [`${RANGE} [1,0]`]: { valueRange: [1, 0] },
    [`${RANGE} 255`]: { valueRange: 255 },
  },
  "c5c75d1d02d63c09",
);

export const randomBrightness = augmenting(
  "randomBrightness",
  (options) => layers.randomBrightness(options as Any),
  { factor: [-0.1, 0.2], valueRange: [0, 1] },
  { factor: [-0.1, 0.2], valueRange: [0, 1] },
  { [`factor: ${FACTOR} "much"`]: { factor: "much" }, [`${RANGE} [0,0]`]: { valueRange: [0, 0] } },
  "b87c88293818cac7",
);

const small = (
  type: "centerCrop" | "randomCrop",
  digest: string,
  gradients: LayerCases["gradients"] = {},
): LayerCases => {
  const make = (options: object): Layer => layers[type](options as Any);
  return {
    defaults: [make({ height: 3, width: 2 }), { height: 3, width: 2 }],
    shapes: [
      [make({ height: 3, width: 2 }), [8, 7, 3], [3, 2, 3]],
      [make({ height: 8, width: 7 }), [8, 7, 3], [8, 7, 3]],
    ],
    refuses: {
      [`${type}: height: ${COUNT}, got 0`]: () => make({ height: 0, width: 1 }),
      [`${type}: width: ${COUNT}, got undefined`]: () => make({ height: 1 }),
    },
    refusesInputs: {
      [`${type}: expected an image of at least 3×9 pixels, got 8×7`]: [
        make({ height: 3, width: 9 }),
        [8, 7, 3],
      ],
      [`${type}: expected an image [height, width, channels], got 8×7`]: [
        make({ height: 3, width: 2 }),
        [8, 7],
      ],
    },
    gradients,
    models: [
      chain(`${type} alone`, IMAGE, () => [make({ height: 4, width: 5 })]),
      chain(`${type} in front of a net`, IMAGE, () => [
        make({ height: 9, width: 3 }),
        layers.conv2d({ filters: 2, kernelSize: 3 }),
      ]),
    ],
    digest,
  };
};

export const randomCrop = small("randomCrop", "b995004f39489eaa");
export const centerCrop = small("centerCrop", "98e7f6c4366ddf0b", {
  "centerCrop, of rows and columns left over": () => layers.centerCrop({ height: 3, width: 2 }),
  "centerCrop of all": () => layers.centerCrop({ height: 6, width: 5 }),
});

const scaled = (scale: number, offset?: number): Layer => layers.rescaling({ scale, offset });

export const rescaling: LayerCases = {
  defaults: [layers.rescaling({ scale: 2 }), { scale: 2, offset: 0 }],
  shapes: [
    [scaled(2), [5], [5]],
    [scaled(2), [4, 5, 3], [4, 5, 3]],
  ],
  refuses: {
    "rescaling: scale: expected a finite number, got undefined": () => layers.rescaling({} as Any),
    "rescaling: offset: expected a finite number, got null": () =>
      layers.rescaling({ scale: 1, offset: null } as Any),
  },
  refusesInputs: { "rescaling: expected one input, got 2": [scaled(1), [[3], [3]]] },
  gradients: { rescaling: () => scaled(-0.5, 2) },
  models: [[6], [5, 6], IMAGE, [2, 3, 2, 6]].map((shape) =>
    chain(`rescaling of ${shape.join("×")}`, shape, () => [scaled(1 / 127.5, -1)]),
  ),
  digest: "8ee1be332de3b20a",
};

const sized = (height: number, width: number, interpolation?: "nearest" | "bilinear"): Layer =>
  layers.resizing({ height, width, interpolation });

export const resizing: LayerCases = {
  defaults: [sized(3, 4), { height: 3, width: 4, interpolation: "bilinear" }],
  shapes: [
    [sized(3, 4), [8, 7, 3], [3, 4, 3]],
    [sized(30, 1), [8, 7, 3], [30, 1, 3]],
  ],
  refuses: {
    [`resizing: height: ${COUNT}, got 0.5`]: () => sized(0.5, 1),
    [`resizing: width: ${COUNT}, got undefined`]: () => layers.resizing({ height: 1 } as Any),
    [`resizing: interpolation: expected one of "nearest", "bilinear"; got "bicubic"`]: () =>
      sized(1, 1, "bicubic" as Any),
  },
  refusesInputs: {
    "resizing: expected an image [height, width, channels], got 8×7": [sized(3, 4), [8, 7]],
    "resizing: expected at most 1073741824 elements in an image, got 32768×32768×3": [
      sized(32768, 32768),
      [1, 1, 3],
    ],
  },
  gradients: {
    "resizing, bilinear": () => sized(9, 3),
    "resizing, nearest": () => sized(4, 7, "nearest"),
  },
  models: [
    // By 2 and 2½, which files have as float32.
    chain("resizing to more", IMAGE, () => [sized(18, 20)]),
    chain("resizing to less", IMAGE, () => [sized(4, 3), layers.conv2d({ filters: 2, kernelSize: 3 })]),
    chain("resizing to more, nearest", IMAGE, () => [sized(17, 20, "nearest")]),
    chain("resizing to less, nearest", IMAGE, () => [sized(4, 3, "nearest")]),
    chain("resizing to the same", IMAGE, () => [sized(9, 8, "nearest"), sized(9, 8)]),
  ],
  digest: "a1bf153348769dba",
};
