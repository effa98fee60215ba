/** A net from a file that `Model.toSafetensors` wrote, as the commands see it. */
import type { Engine } from "../../index.ts";
import { nodeOf, type Graph, type GraphNode } from "../../graph/graph.ts";
import { decodeCheckpoint } from "../../model/checkpoint.ts";
import { Model } from "../../model/model.ts";
import type { OnnxInput } from "../../onnx.ts";
import { checkFeedShape } from "../../onnx/import/feeds.ts";
import { readFeeds, readShapes, sessionImages } from "../../onnx/import/feedShapes.ts";
import { sizeOf, type InputTensor, type Shape } from "../../tensor.ts";
import type { Net, NetNode, NetSession, SessionOptions } from "./net.ts";

/** Multiplications and additions for one image, each one; of what is no convolution or product nothing is counted. */
export function layerOperations({ layer, inputShapes, outputShape }: GraphNode): number {
  const shapes = new Map(layer.weights(inputShapes).map(({ name, shape }) => [name, shape]));
  const [x] = inputShapes as [Shape];
  /** The products that make one number: the sizes of a filter for one output. */
  const products = (kernel = "kernel"): number => sizeOf(shapes.get(kernel)!.slice(0, -1));
  switch (layer.type) {
    case "conv1d":
    case "conv2d":
    case "depthwiseConv2d":
    case "dense":
      return 2 * sizeOf(outputShape) * products();
    case "separableConv2d": {
      const pixels = sizeOf(outputShape.slice(0, 2));
      const between = pixels * shapes.get("depthwiseKernel")!.at(-1)!;
      return 2 * (between * products("depthwiseKernel") + sizeOf(outputShape) * products("pointwiseKernel"));
    }
    case "conv2dTranspose":
      return 2 * sizeOf(x) * products();
    case "matMul":
      return 2 * sizeOf(outputShape) * x.at(-1)!;
    default:
      return 0;
  }
}

function nodesOf({ nodes }: Graph): NetNode[] {
  return nodes.map((node) => ({
    name: node.name,
    type: node.layer.type,
    output: [1, ...node.outputShape],
    operations: layerOperations(node),
  }));
}

/** A session for the shapes that are asked for. @throws ShapeError, MemoryError */
function sessionOf(model: Model, inputs: readonly OnnxInput[], options: SessionOptions): NetSession {
  const { batchSize: count, shapes: given = {} } = options;
  const shapes = readShapes("session: shapes", inputs, given);
  for (const input of inputs) {
    const shape = shapes[input.name];
    if (shape) checkFeedShape(`session: shapes: ${input.name}`, input, shape, true);
  }
  const batchSize = sessionImages(inputs, shapes, count);
  const session = model.session({ batchSize });
  return {
    inputs: session.inputs,
    batchSize,
    run: () => session.run(),
    profile: () => session.profile().map(({ layer, milliseconds }) => ({ node: layer, milliseconds })),
    dispose: () => session.dispose(),
  };
}

export function modelNet(bytes: Uint8Array, engine: Engine): Net {
  const { graph, seed, weights, metadata } = decodeCheckpoint(bytes);
  const model = Object.assign(new Model(graph, seed, weights), { metadata });
  model.compile({ engine });
  const inputs = graph.inputs.map(({ name, shape }, value): OnnxInput => ({
    name,
    type: graph.types[value] === "uint8" ? "uint8" : "float32",
    dims: ["n", ...shape],
  }));
  const nameOf = (value: number): string => (graph.inputs[value] ?? nodeOf(graph, value)).name;
  const fault = model.trainingFault;
  return {
    format: "safetensors",
    // A net that was an ONNX file before takes images as that did.
    layout: graph.inputs.some((_, value) => graph.origins[value]) ? "NCHW" : "NHWC",
    inputs,
    outputNames: graph.outputNames,
    metadata,
    parameterCount: Array.from(weights.values(), ({ data }) => data.length).reduce((a, b) => a + b, 0),
    notBatched: undefined,
    notTrainable: fault && `expected ${fault.expected}, got ${fault.got}`,
    nodes: nodesOf(graph),
    values: graph.shapes.map((shape, value) => ({
      name: nameOf(value),
      type: graph.types[value]!,
      shape: [1, ...shape],
    })),
    predict(feeds) {
      const tensors = readFeeds("predict", inputs, feeds);
      for (const input of inputs) {
        checkFeedShape(`predict: ${input.name}`, input, tensors[input.name]!.shape, true);
      }
      return model.predict(tensors as Record<string, InputTensor>);
    },
    session: (options) => sessionOf(model, inputs, options),
    toOnnx: (layout) => model.toOnnx({ layout }),
    toSafetensors: () => model.toSafetensors(),
  };
}
