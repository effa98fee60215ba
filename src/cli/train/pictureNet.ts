/** The net that `im2row train` makes for pictures. */
import { layers, sequential, type Layer, type Model } from "../../index.ts";

/** What a net for pictures is made for. */
export interface PictureNetOptions {
  readonly size: readonly [height: number, width: number];
  readonly classes: number;
  /** Takes bytes and changes images at random in training; else it takes floats of the same values, as files say. */
  readonly training: boolean;
  readonly augment: boolean;
  readonly seed: number;
}

/** Sides from which the first convolution takes every second pixel, and that pooling leaves at least. */
const STRIDED_SIDE = 128;
const LEAST_SIDE = 8;

const FIRST_FILTERS = 16;
const MOST_FILTERS = 128;

/** A convolution with batch normalization and ReLU; the normalization adds what a bias would. */
function block(filters: number, strides: number): Layer[] {
  return [
    layers.conv2d({ filters, kernelSize: 3, strides, padding: "same", useBias: false }),
    // Statistics that follow within the few steps that small folders have.
    layers.batchNormalization({ momentum: 0.9 }),
    layers.activation({ activation: "relu" }),
  ];
}

/**
 * Convolutions of 3×3 with batch normalization and ReLU, of twice the filters after each max pooling, until an image is down
 * to 8 to 15 pixels; then the mean of each channel, and a dense layer for the logits.
 */
export function pictureNet({ size, classes, training, augment, seed }: PictureNetOptions): Model {
  const side = Math.min(...size);
  const strides = side >= STRIDED_SIDE ? 2 : 1;
  const halvings = Math.max(0, 31 - Math.clz32(Math.floor(side / strides / LEAST_SIDE)));
  const changes = [
    layers.randomFlip({ mode: "horizontal" }),
    layers.randomTranslation({ heightFactor: 0.1, widthFactor: 0.1 }),
  ];
  return sequential({
    inputShape: [...size, 3],
    inputDtype: training ? "uint8" : "float32",
    layers: [
      layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
      ...(training && augment ? changes : []),
      ...block(FIRST_FILTERS, strides),
      ...Array.from({ length: halvings }, (_, i) => [
        layers.maxPooling2d({ poolSize: 2 }),
        ...block(Math.min(MOST_FILTERS, FIRST_FILTERS << (i + 1)), 1),
      ]).flat(),
      layers.globalAveragePooling2d(),
      layers.dense({ units: classes }),
    ],
    seed,
  });
}
