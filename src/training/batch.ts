/** The batch of a training step: images and labels that the caller holds, and where they go in memory. */
import type { InputTensor } from "../tensor.ts";
import type { Targets } from "./targets.ts";

/** The images of one step out of all that the caller holds. The same object may serve all steps. */
export interface TrainingBatch {
  /** The images of each input, and the labels of each output with a loss. */
  readonly images: readonly InputTensor[];
  readonly targets: readonly Targets[];
  /** The numbers of the images in the order in which they are used; absent for their own order. */
  readonly order?: Uint32Array | undefined;
  /**
   * For a stream, the numbers of the batch's images in the data that it is drawn from; else those that the order names are
   * their numbers.
   */
  readonly indices?: Uint32Array | undefined;
  /** The weight of each image, in their own order; absent when none has one. */
  readonly weights?: Float32Array | undefined;
  /** The index in that order at which the batch begins, and its number of images. */
  start: number;
  count: number;
  /** For a shard of a larger batch, the index of its first image there, from which random draws follow. Default: 0. */
  firstImage?: number;
  /** The epoch in which the images are used, counted from 0, for what is drawn by epoch and number. Default: the step. */
  epoch?: number;
}

/** Copies `count` elements of `source`, starting at `from`, to `target` at `to`, without making a view. */
export function copyElements(
  source: ArrayLike<number>,
  from: number,
  target: Float32Array | Int32Array | Uint8Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i]!;
}
