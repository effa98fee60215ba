/** Changes of samples by chance, for `map`. They follow from the seed, the epoch and the number of the sample alone. */
import { OptionError, ShapeError } from "../errors.ts";
import { checkOptions, finiteNumber, isPlainObject, isTyped, positiveInteger, show } from "../options.ts";
import { expectShape, sizeOf, type Tensor } from "../tensor.ts";
import { symmetricBeta } from "./beta.ts";
import { seeded, type Sample, type SampleImage, type SampleLabel } from "./origin.ts";
import type { Change } from "./samples.ts";

export interface MixupOptions {
  /** Names the draws. */
  seed: number;
  /** Shares are drawn from Beta(alpha, alpha), from 0.001 to 4: the smaller, the nearer to 0 and 1. Default: 0.2. */
  alpha?: number | undefined;
  /** The number of classes, for labels that are classes: they become rows of shares. */
  classes?: number | undefined;
}

/** The one image of a sample. @throws ShapeError */
function imageOf(where: string, { image }: Sample): SampleImage {
  if (isPlainObject(image) && "shape" in image) return image as unknown as SampleImage;
  throw new ShapeError(`${where}: expected samples with one image, got ${show(image)}`);
}

/** The label of a sample as a tensor. @throws OptionError, ShapeError */
function rowOf(label: Sample["label"], classes: number | undefined): Tensor {
  if (typeof label === "number") {
    if (classes === undefined)
      throw new OptionError("mixup: classes: expected their number for labels of classes");
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new OptionError(`mixup: expected a class from 0 to ${classes - 1}, got ${label}`);
    }
    const data = new Float32Array(classes);
    data[label] = 1;
    return { shape: [classes], data };
  }
  if ("shape" in label) return label as Exclude<SampleLabel, number>;
  throw new ShapeError(`mixup: expected samples with one label, got ${show(label)}`);
}

function mixed(where: string, a: SampleImage, b: SampleImage, share: number): Tensor {
  expectShape(where, b.shape, a.shape);
  const data = new Float32Array(sizeOf(a.shape));
  for (let i = 0; i < data.length; i++) data[i] = share * a.data[i]! + (1 - share) * b.data[i]!;
  return { shape: a.shape, data };
}

/**
 * Mixes each sample with another of the data set that `map` is called on, drawn at random: `share·a + (1 − share)·b`, images
 * and labels alike (Zhang et al., "mixup: Beyond empirical risk minimization", 2018). Split before, or the parts are mixed too.
 * @throws OptionError
 */
export function mixup(options: MixupOptions): Change {
  checkOptions("mixup", options, ["seed", "alpha", "classes"]);
  const { classes, alpha = 0.2 } = options;
  if (!(typeof alpha === "number" && alpha >= 0.001 && alpha <= 4)) {
    throw new OptionError(`mixup: alpha: expected a number from 0.001 to 4, got ${show(alpha)}`);
  }
  if (classes !== undefined) positiveInteger("mixup: classes", classes);
  const stream = seeded("mixup", options.seed);
  return async (sample, { epoch, index, size, sample: other }) => {
    const random = stream(epoch, index);
    const partner = await other(random.integer(size));
    const share = symmetricBeta(random, alpha);
    return {
      ...sample,
      image: mixed("mixup: image", imageOf("mixup", sample), imageOf("mixup", partner), share),
      label: mixed("mixup: label", rowOf(sample.label, classes), rowOf(partner.label, classes), share),
    };
  };
}

export interface CutoutOptions {
  /** Names the draws. */
  seed: number;
  /** The side of the square, in pixels. */
  size: number;
  /** What its pixels become, for images of bytes a byte. Default: 0. */
  fill?: number | undefined;
}

/**
 * Overwrites a square around a pixel of each image `[h, w, c]` that is drawn at random; what lies outside is cut off
 * (DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", 2017).
 * @throws OptionError
 */
export function cutout(options: CutoutOptions): Change {
  checkOptions("cutout", options, ["seed", "size", "fill"]);
  const size = positiveInteger("cutout: size", options.size);
  const fill = finiteNumber("cutout: fill", options.fill ?? 0);
  const stream = seeded("cutout", options.seed);
  return (sample, { epoch, index }) => {
    const { shape, data } = imageOf("cutout", sample);
    const [h, w, c] = shape;
    if (shape.length !== 3) throw new ShapeError(`cutout: expected an image [h, w, c], got ${show(shape)}`);
    if (isTyped(data, Uint8Array) && !(Number.isInteger(fill) && fill >= 0 && fill <= 255)) {
      throw new OptionError(
        `cutout: fill: expected an integer from 0 to 255 for images of bytes, got ${fill}`,
      );
    }
    const random = stream(epoch, index);
    const [top, left] = [h!, w!].map((side) => random.integer(side) - (size >> 1)) as [number, number];
    const own = data.slice();
    for (let y = Math.max(0, top); y < Math.min(h!, top + size); y++) {
      own.fill(fill, (y * w! + Math.max(0, left)) * c!, (y * w! + Math.min(w!, left + size)) * c!);
    }
    return { ...sample, image: { shape, data: own } };
  };
}
