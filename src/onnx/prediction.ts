import type { Named } from "../graph/namedTensors.ts";
import type { Model } from "../model/model.ts";
import { sizeOf, type InputTensor, type OwnTensor } from "../tensor.ts";
import { fromMemory, fromNumbers, toMemory, type OnnxTensor, type OwnOnnxData } from "./import/feeds.ts";
import { readFeeds, type Feeds } from "./import/feedShapes.ts";
import type { OnnxGraph } from "./import/graph.ts";
import type { End, Instance } from "./import/instance.ts";
import type { Plans } from "./import/plans.ts";

/** The outputs of a net by name. */
export type OnnxOutputs = Record<string, OnnxTensor<OwnOnnxData>>;

/** One call of `predict`: what the model of its plan is fed, and the outputs in the shapes, types and names of the file. */
export class Prediction {
  readonly instance: Instance;
  readonly images: Named<InputTensor>;
  readonly #names: readonly string[];
  readonly #whole: boolean;

  /** @throws ShapeError naming `where` and the input */
  constructor(where: string, graph: OnnxGraph, plans: Plans, fed: Feeds) {
    const feeds = readFeeds(where, graph.inputs, fed);
    this.instance = plans.planForFeeds(where, feeds);
    this.#names = graph.outputs;
    this.#whole = this.instance.notBatched !== undefined;
    this.images = Object.fromEntries(
      this.instance.inputs.map((end) => [end.key, modelTensor(where, end, feeds[end.name]!, this.#whole)]),
    );
  }

  /** The model that computes the outputs; undefined when all are known. */
  get model(): Model | undefined {
    return this.instance.model;
  }

  /** The outputs, of which the model has `computed` those that depend on what is fed. */
  outputs(computed: Readonly<Record<string, OwnTensor>>): OnnxOutputs {
    const { constants, outputs } = this.instance;
    // By names that are any text: an object would take __proto__ for something else.
    const results = new Map<string, OnnxTensor<OwnOnnxData>>();
    for (const { name, type, shape, data } of constants) {
      results.set(name, { shape, data: fromNumbers(type, data(), name) });
    }
    for (const { name, key, value } of outputs) {
      const { data, shape: made } = computed[key]!;
      const shape = this.#whole ? value.shape : [made[0]!, ...value.shape.slice(1)];
      results.set(name, { shape, data: fromMemory(value.type, data.subarray(0, sizeOf(shape))) });
    }
    return Object.fromEntries(this.#names.map((name) => [name, results.get(name)!]));
  }
}

/** A tensor as the model takes it: a batch of images, or of one `whole` tensor. @throws ShapeError */
export function modelTensor(
  where: string,
  end: End,
  { shape, data }: OnnxTensor,
  whole: boolean,
): InputTensor {
  const isBytes = end.value.type === "uint8";
  const own = [whole ? 1 : shape[0]!, ...end.value.symbol.shape];
  // An empty tensor takes a place in memory all the same.
  if (shape.includes(0)) return { shape: own, data: new (isBytes ? Uint8Array : Float32Array)(1) };
  return { shape: own, data: isBytes ? (data as Uint8Array) : toMemory(`${where}: ${end.name}`, data) };
}
