/** Reads what `fit` and `evaluate` take: images with labels, as tensors or as batches of a stream. */
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import {
  expectEpochs,
  isStream,
  readBatch,
  readStream,
  type LabelledBatch,
  type Step,
  type Stream,
} from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import type { TrainingBatch } from "../training/batch.ts";
import type { EvaluationRun, LabelledImages } from "../training/evaluation.ts";
import type { FitSettings } from "../training/fitOptions.ts";
import type { Objective } from "../training/objective.ts";
import type { StreamBatch } from "../training/source.ts";
import { splitLast, weigh, type ClassWeights } from "../training/weights.ts";
import type { EvaluateSettings } from "./evaluateOptions.ts";
import type { FilledInput } from "./inferenceModel.ts";

/** Images whose labels follow, or a stream of batches that have theirs. */
export type Labelled = InputTensor | Named<InputTensor> | Stream<LabelledBatch>;

/** The options of a method, which follow a stream at once, and tensors after their labels. */
export function optionsOf<Options extends object>(data: Labelled, second: unknown, third: Options): Options {
  return isStream(data) ? ((second ?? {}) as Options) : third;
}

/** Reads a batch of images into a list in the order of the model's inputs; returns its number of images. @throws ShapeError */
type CheckImages = (where: string, images: InputTensor | Named<InputTensor>, into: FilledInput[]) => number;

/** Reads data for one model, and checks them against what it was compiled with. */
export class LabelledReader {
  readonly #checkImages: CheckImages;
  readonly #requireObjective: (where: string) => Objective;

  constructor(checkImages: CheckImages, requireObjective: (where: string) => Objective) {
    this.#checkImages = checkImages;
    this.#requireObjective = requireObjective;
  }

  /** Reads images without labels, as one batch. @throws ShapeError */
  images(where: string, images: InputTensor | Named<InputTensor>): TrainingBatch {
    const own: FilledInput[] = [];
    const count = this.#checkImages(`${where}: images`, images, own);
    return { images: own, targets: [], start: 0, count };
  }

  /** Reads images and copies their labels. @throws ShapeError, OptionError */
  tensors(
    where: string,
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
  ): LabelledImages {
    const objective = this.#requireObjective(where);
    const { images: own, count } = this.images(where, images);
    return {
      objective,
      images: own,
      targets: objective.readLabels(`${where}: labels`, labels, count),
      count,
    };
  }

  /** The data of `evaluate`: tensors with their weights are read here, a stream later. @throws ShapeError, OptionError */
  toEvaluate(
    where: string,
    data: Labelled,
    labels: Labels | Named<Labels>,
    { sampleWeight }: EvaluateSettings,
  ): LabelledImages | Stream<LabelledBatch> {
    if (isStream(data)) return data as Stream<LabelledBatch>;
    return weigh(where, this.tensors(where, data, labels), sampleWeight, undefined);
  }

  /** Reads a batch of a stream. @throws ShapeError, OptionError */
  batch(where: string, batch: unknown, classWeight?: ClassWeights): StreamBatch {
    const { images, labels, sampleWeight, indices } = readBatch(where, batch);
    const data = this.tensors(where, images, labels);
    return { ...weigh(where, data, sampleWeight, classWeight), indices };
  }

  /** Reads the tensors of `fit` and their weights: those to train on, and those kept for validation if there are any. */
  training(
    images: InputTensor | Named<InputTensor>,
    labels: Labels | Named<Labels>,
    { sampleWeight, classWeight, validationSplit }: FitSettings,
  ): [LabelledImages, LabelledImages?] {
    const all = this.tensors("fit", images, labels);
    const whole = weigh("fit", all, sampleWeight, classWeight);
    if (validationSplit === 0) return [whole];
    const [train, last] = splitLast("fit: validationSplit", whole, validationSplit);
    // The weights of classes are for training alone.
    return [train, classWeight ? { ...last, weights: undefined } : last];
  }

  /** The validation data of `fit`, which are read here unless they are a stream. */
  validation({
    validationData,
    epochs,
    initialEpoch,
  }: FitSettings): LabelledImages | Stream<LabelledBatch> | undefined {
    const where = "fit: validationData";
    if (!validationData) return undefined;
    if (!Array.isArray(validationData)) {
      const stream = validationData as Stream<LabelledBatch>;
      expectEpochs(where, stream, epochs - initialEpoch);
      return stream;
    }
    const [images, labels, sampleWeight] = validationData as [InputTensor, Labels, ArrayLike<number>?];
    return weigh(where, this.tensors(where, images, labels), sampleWeight, undefined);
  }

  /** Takes data into an evaluation, in steps. */
  *evaluated(
    where: string,
    data: LabelledImages | Stream<LabelledBatch>,
    run: EvaluationRun,
    batchSize: number,
    atOnce: boolean,
  ): Generator<Step, void, unknown> {
    if (!isStream(data)) yield* run.add(data, batchSize);
    else
      yield* readStream(where, data, 1, atOnce, (batch, place) =>
        run.add(this.batch(place, batch), batchSize),
      );
  }
}
