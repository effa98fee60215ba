/** The outputs of a net for images, which are at hand or come as a stream. */
import { OptionError } from "../errors.ts";
import { outputsOf, type Graph } from "../graph/graph.ts";
import type { Batch, Inference } from "../graph/inference.ts";
import { byName, isNamed, type Named } from "../graph/namedTensors.ts";
import { imagesOf, isStream, readStream, type BatchRecord, type Step, type Stream } from "../stream.ts";
import { sizeOf, type Filled, type InputTensor, type OwnTensor } from "../tensor.ts";

/** A batch of images as it was read. */
export type FilledInput = Filled<Float32Array | Uint8Array>;

/** The only element of a list. @throws OptionError naming `where` when there are several */
export function onlyOne<T>(where: string, things: readonly T[]): T {
  if (things.length === 1) return things[0]!;
  throw new OptionError(`${where}: expected a model with one, got ${things.length}`);
}

/**
 * A batch of images without or with labels. A record with `images` and `labels` is one of these two: inputs of such names
 * stand in a list, `[inputs]`.
 */
export type ImageBatch<Images> =
  Images | readonly [images: Images, ...rest: unknown[]] | BatchRecord<Images, unknown>;

/** What `predict` takes. */
export type Inputs =
  InputTensor | Named<InputTensor> | Stream<ImageBatch<InputTensor>> | Stream<ImageBatch<Named<InputTensor>>>;

/** Returns the inference of a model as it is compiled now. @throws Error unless it is */
type Compiled = () => Inference;

/** Reads a batch and returns its number of images. @throws ShapeError naming `where` */
type ReadImages = (where: string, images: InputTensor | Named<InputTensor>, into: FilledInput[]) => number;

const namesOf = ({ inputs }: Graph): string[] => inputs.map(({ name }) => name);

/** Steps to the outputs, which are by name for inputs by name. */
export type Steps<Outputs extends string> = Generator<Step, OwnTensor | Record<Outputs, OwnTensor>, unknown>;

/** Puts batches behind each other. */
function joined(parts: readonly OwnTensor[]): OwnTensor {
  const n = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const rest = parts[0]!.shape.slice(1);
  const data = new Float32Array(n * sizeOf(rest));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { shape: [n, ...rest], data };
}

/** Computes the outputs in steps. Those of a stream are by name when its first batch is. */
export function* predictInSteps<Outputs extends string>(
  where: string,
  graph: Graph,
  compiled: Compiled,
  read: ReadImages,
  inputs: Inputs,
  batchSize: number,
  atOnce: boolean,
): Steps<Outputs> {
  const inference = compiled();
  const parts: OwnTensor[][] = [];
  let named: boolean | undefined;
  if (isStream(inputs)) {
    const run = [inference, inference.revision] as const;
    yield* readStream(where, inputs, 1, atOnce, (batch, place) => {
      const images = imagesOf(batch as ImageBatch<InputTensor | Named<InputTensor>>);
      named ??= isNamed(images, namesOf(graph));
      return predictImages(where, place, graph, compiled, read, images, batchSize, parts, run);
    });
  } else {
    named = isNamed(inputs, namesOf(graph));
    yield* predictImages(where, where, graph, compiled, read, inputs, batchSize, parts);
  }
  const tensors =
    parts.length === 1 ? parts[0]! : parts[0]!.map((_, i) => joined(parts.map((part) => part[i]!)));
  const names = outputsOf(graph).map(({ name }) => name);
  return named ? byName(names, tensors) : tensors[0]!;
}

/** Adds the outputs for some images, which `place` names, to `parts`, and yields after each batch. */
function* predictImages(
  where: string,
  place: string,
  graph: Graph,
  compiled: Compiled,
  readImages: ReadImages,
  inputs: InputTensor | Named<InputTensor>,
  batchSize: number,
  parts: OwnTensor[][],
  run?: readonly [Inference, revision: number],
): Generator<void, void> {
  const named = isNamed(inputs, namesOf(graph));
  const images: FilledInput[] = [];
  const n = readImages(`${place}: images`, inputs, images);
  // Reading the images may have called getters that compiled the model again.
  const [inference, revision] = run ?? [compiled()];
  const ends = outputsOf(graph);
  if (!named) onlyOne(`${place}: images by name`, ends);
  let tensors: OwnTensor[] = [];
  const read = ({ outputs, start }: Batch): void => {
    // The outputs are allocated only after the first batch found enough memory to run.
    if (start === 0) {
      tensors = ends.map(({ shape }) => ({
        shape: [n, ...shape],
        data: new Float32Array(n * sizeOf(shape)),
      }));
    }
    outputs.forEach((output, i) => tensors[i]!.data.set(output, start * sizeOf(ends[i]!.shape)));
  };
  const data = images.map((image) => image.data);
  yield* inference.batches(where, data, batchSize, read, revision);
  parts.push(tensors);
}
