/** What a model is made of: layers, weights, files. Training is apart from it. */
import type { Graph } from "../graph/graph.ts";
import { startingWeights } from "../graph/initialize.ts";
import { learningParameters, trainingFault, type TrainingFault } from "../graph/learning.ts";
import { sharedWeights } from "../graph/parameters.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import type { Layer } from "../layers/contract.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, flag, oneOf } from "../options.ts";
import { encodeModel } from "../onnx/file/encode.ts";
import { writeModel, type OnnxLayout } from "../onnx/export/index.ts";
import { Random } from "../random.ts";
import type { OwnTensor, Tensor } from "../tensor.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import { InferenceModel } from "./inferenceModel.ts";
import { layerNode } from "./layersOf.ts";
import { readWeights } from "./readWeights.ts";

/** A net of layers with its weights, which can be read, replaced and written to files. */
export class NetModel<Outputs extends string = string> extends InferenceModel<Outputs> {
  readonly seed: number;

  /** Makes a model with starting weights that follow from `seed`, or with `weights`; `shared` is as that of the base. */
  constructor(graph: Graph, seed: number, weights?: ReadonlyMap<string, Tensor>, shared?: SharedSlots) {
    super(graph, weights ?? startingWeights(graph, new Random(seed)), shared);
    this.seed = seed;
  }

  /** The layers, each once, in the order of the nodes. They can be frozen here after a model was loaded. */
  get layers(): readonly Layer[] {
    return [...new Set(this.graph.nodes.map(({ layer }) => layer))];
  }

  /** The layer with a name, as `summary` has it. @throws OptionError when there is none */
  getLayer(name: string): Layer {
    return layerNode("getLayer", this.graph, name).layer;
  }

  /**
   * Copies of the weights of one layer, by their own names, as `kernel`. Layers hold no weights: each model has its own of
   * a layer that several use. @throws OptionError when no layer has the name
   */
  layerWeights(name: string): Map<string, OwnTensor> {
    const { owner, name: own } = layerNode("layerWeights", this.graph, name);
    const which = this.parameters.of(owner);
    return new Map(
      Array.from(this.parameters.read(which), ([weight, each]) => [weight.slice(own.length + 1), each]),
    );
  }

  /**
   * Replaces the weights of one layer, by their own names; all or none.
   * @throws OptionError when no layer has the name; ShapeError naming the weight
   */
  setLayerWeights(name: string, weights: ReadonlyMap<string, Tensor>): void {
    const where = "setLayerWeights";
    const { owner, name: own } = layerNode(where, this.graph, name);
    const read = readWeights(where, weights).map(([weight, each]) => [`${own}.${weight}`, each] as const);
    this.parameters.write(where, new Map(read), this.parameters.of(owner));
  }

  /**
   * The number of weights, as single numbers; with `trainable` only of those that are, or are not: weights that learn, of
   * layers that are not frozen.
   * @throws OptionError
   */
  countParams(options: { trainable?: boolean | undefined } = {}): number {
    checkOptions("countParams", options, ["trainable"]);
    const { trainable } = options;
    if (trainable !== undefined) flag("countParams: trainable", trainable);
    const { nodes } = this.graph;
    return this.parameters.list.reduce((sum, each) => {
      const learns = each.trainable && nodes[each.node]!.layer.trainable;
      return trainable === undefined || learns === trainable ? sum + each.size : sum;
    }, 0);
  }

  /** The names of the weights that training would change as the layers are frozen now: those that a gradient reaches. */
  get learning(): ReadonlySet<string> {
    return new Set(Array.from(learningParameters(this.graph, this.parameters), ({ name }) => name));
  }

  /** The reason why `compile` would refuse an optimizer as the layers are frozen now, if there is one. */
  get trainingFault(): TrainingFault | undefined {
    return trainingFault(this.graph, this.parameters);
  }

  /**
   * Replaces the weights, all or none. For another model, it copies the weights of the layers that both models use, whatever
   * their names are, and keeps the others.
   * @throws ShapeError naming the weight; OptionError when the two have no layer with weights in common
   */
  override setWeights(weights: ReadonlyMap<string, Tensor> | NetModel): void {
    if (!(weights instanceof NetModel)) return super.setWeights(weights);
    const shared = sharedWeights(this.graph, weights.graph, weights.weights);
    if (shared.size === 0) {
      throw new OptionError("setWeights: expected a model with some of the same layers, got one without");
    }
    this.parameters.write("setWeights", new Map([...this.weights, ...shared]));
  }

  /**
   * Writes a safetensors file with the weights, and with the architecture and the frozen layers in its metadata, so that
   * `loadModel` needs nothing else. @throws OptionError for a layer that `loadModel` could not make again
   */
  toSafetensors(): Uint8Array<ArrayBuffer> {
    return encodeCheckpoint(this.graph, this.seed, this.parameters.read(), this.metadata);
  }

  /**
   * Writes an ONNX file (opset 17) with the net as it is in inference, for onnxruntime and others. Images in ONNX are NCHW,
   * and so are the file's inputs and outputs, `[N, channels, height, width]`; with `layout: "NHWC"` the file transposes them
   * itself and has the model's inputs and outputs. Other values are the same as in the model, and N is any number. Inputs,
   * outputs and weights have the model's names; filters are OIHW, matrices stay `[in, out]`. What comes from an ONNX file,
   * by `OnnxModel.model` or `value`, keeps that file's order of axes under both layouts, and its names. A model that was trained by
   * softmax cross-entropy outputs logits.
   * @throws OptionError, FormatError when the weights exceed the 2 GiB of such a file.
   */
  toOnnx(options: { layout?: OnnxLayout | undefined } = {}): Uint8Array<ArrayBuffer> {
    checkOptions("toOnnx", options, ["layout"]);
    const layout = oneOf("toOnnx: layout", options.layout ?? "NCHW", ["NCHW", "NHWC"]);
    return encodeModel(writeModel(this.graph, this.parameters.read(), layout, this.metadata));
  }
}
