/** Training minimises an objective, and evaluation measures it: the outputs of a model that have a loss. */
import type { Labels } from "../labels.ts";
import { lossOutputsOf, type Graph } from "../graph/graph.ts";
import { inOrder, placeOf, type Named } from "../graph/namedTensors.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { countsCorrect, type Loss } from "./losses/loss.ts";
import type { Metric } from "./metrics/metric.ts";
import { checkLabels, noTargets, type Targets } from "./targets.ts";

/** One output of a model with its loss. */
export interface LossOutput {
  readonly name: string;
  /** The index of the output among all outputs of the model. */
  readonly index: number;
  /** The shape of one image's output, its elements, and the elements of a row, over which the loss is taken. */
  readonly shape: Shape;
  readonly size: number;
  readonly columns: number;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** The outputs with a loss of one compiled model. Its loss is their sum. */
export class Objective {
  readonly outputs: readonly LossOutput[];
  /** The rows of an image, of all outputs, that can be right or wrong: accuracy is a share of them. */
  readonly rowsPerImage: number;
  /** The penalties on the weights, which are a part of the loss; 0 until a model is put on an engine. */
  penalty: () => number = () => 0;
  readonly #names: readonly string[];
  /** The labels that were passed last, in the order of the outputs: the same list for all training steps. */
  readonly #ordered: Labels[] = [];

  /** `losses` and `metrics` hold those of each output that can have a loss, or nothing when none was passed. */
  constructor(graph: Graph, losses: readonly Loss[], metrics: readonly (readonly Metric[])[]) {
    const outputs = lossOutputsOf(graph).slice(0, losses.length);
    this.outputs = outputs.map(({ name, shape }, i) => ({
      name,
      index: graph.lossOutputs[i]!,
      shape,
      size: sizeOf(shape),
      columns: shape.at(-1)!,
      loss: losses[i]!,
      metrics: metrics[i]!,
    }));
    this.#names = this.outputs.map(({ name }) => name);
    this.rowsPerImage = this.outputs.reduce(
      (sum, { loss, size, columns }) => sum + (countsCorrect(loss, columns) ? size / columns : 0),
      0,
    );
  }

  /**
   * Copies of the labels of `n` images for each output: in `targets`, which are used again, or in new ones.
   * @throws ShapeError, OptionError
   */
  readLabels(
    where: string,
    labels: Labels | Named<Labels>,
    n: number,
    targets: readonly Targets[] = this.outputs.map(noTargets),
  ): readonly Targets[] {
    const ordered = inOrder(where, labels, this.#names, this.#ordered);
    for (let i = 0; i < ordered.length; i++) {
      const { shape, loss } = this.outputs[i]!;
      checkLabels(placeOf(where, this.#names, i), ordered[i]!, n, shape, loss, targets[i]!);
    }
    return targets;
  }
}
