/** All that the page about a training run shows. */
import type { TrainingCurves } from "../train/curves.ts";

/** An image of bytes, grey or RGB, rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** A held-out image that was taken for another class. */
export interface Mistake {
  /** Its place among the held-out images, from 0. */
  readonly index: number;
  /** The file that it is from, if it is from one of its own. */
  readonly file?: string | undefined;
  readonly truth: number;
  readonly predicted: number;
  /** The cross-entropy of this image, in nats. */
  readonly loss: number;
  /** What the softmax of the scores gives to either class. */
  readonly truthProbability: number;
  readonly predictedProbability: number;
  readonly picture: Picture;
}

/** Filters of a convolution, plane by plane: all channels of the first one, then those of the next. */
export interface Filters {
  readonly layer: string;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly planes: readonly Float32Array[];
  /** How many planes the layer has, of which these are the first. */
  readonly count: number;
}

export interface TrainingReport {
  /** Names of the classes, whose numbers are their places. */
  readonly classes: readonly string[];
  readonly curves: TrainingCurves;
  /** `confusion[truth][predicted]` counts held-out images. */
  readonly confusion: readonly (readonly number[])[];
  /** Those with the largest losses, the largest first. */
  readonly mistakes: readonly Mistake[];
  readonly filters: Filters | undefined;
  /** What the run was told and what it ran on, as names and values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** A command line that does the run again: the command, then the options, each with its value. */
  readonly command: readonly string[];
  /** The table of layers as text in columns. */
  readonly summary: string;
  /** How many numbers the net learned. */
  readonly weights: number;
  /** SHA-256 of the model's file in hexadecimal digits. */
  readonly sha256: string;
}
