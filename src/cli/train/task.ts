/** What a training run of the command line works on, whatever its images are: `im2row train` and its kin run such tasks. */
import type { Model, Tensor } from "../../index.ts";
import type { Batches } from "../../data.ts";
import type { Picture } from "../htmlReport/trainingReport.ts";

/** Images and labels that are held in memory, or batches that are read when they are needed. */
export type FitData = readonly [images: Tensor, labels: Int32Array] | Batches;

export const isHeld = (data: FitData): data is Extract<FitData, readonly unknown[]> => Array.isArray(data);

/** What a net makes of images: its scores `[n, classes]`, and the true classes. */
export interface Judged {
  readonly scores: Float32Array;
  readonly labels: Int32Array;
}

/** Images that a net is judged by; it does not train on them. */
export interface HeldOut {
  readonly data: FitData;
  readonly count: number;
  /** Runs a net on all of them. @throws the reason of the signal */
  judge(model: Model, signal?: AbortSignal): Promise<Judged>;
  /** An image by its row in what `judge` returns, as people see it, and the file that it is from. */
  picture(row: number): Picture | Promise<Picture>;
  file?(row: number): string;
}

/** Images that a net trains on. */
export interface TrainingImages {
  readonly data: FitData;
  readonly count: number;
  /** Tells them from others: by what runs that go on know that they have the same ones. */
  identity(): string | Promise<string>;
}

export interface TrainTask {
  /** The words of the command line that come before its options. */
  readonly command: readonly string[];
  /** Where the images come from. */
  readonly source: string;
  readonly classes: readonly string[];
  readonly imageSize: readonly [height: number, width: number];
  readonly training: TrainingImages;
  readonly heldOut: HeldOut;
  /** How images are changed at random in training, where they can be. */
  readonly augmentation?: string;
  /** The net that trains. */
  readonly model: Model;
  /** The net as files have it, with the weights of the net that trained; not compiled unless it is that. */
  finished(trained: Model): Model;
}
