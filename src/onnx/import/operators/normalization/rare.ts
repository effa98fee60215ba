/** Normalizations that also return statistics, and local response normalization. */
import { shapeText, sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import * as layers from "../../../../layers/index.ts";
import { Unsupported } from "../../node.ts";
import { axisOf, onHost, required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import type { TensorType } from "../../../file/constant.ts";
import { range } from "../axisTable.ts";
import { imagesOf } from "../window/images.ts";
import { batchOf, epsilonOf, layerNormalization } from "./common.ts";

/** Normalization by the statistics of the batch, as in files that were exported in training mode. */
function batchStatistics(node: Node, x: TensorType, channels: number, momentum: number): HostPlan {
  const epsilon = epsilonOf(node);
  const size = sizeOf(x.shape.slice(2));
  const images = x.shape[0]!;
  const [m, row] = [images * size, channels * size];
  const each: TensorType = { type: "float32", shape: [channels] };
  return {
    outputs: [{ type: "float32", shape: x.shape }, each, each, each, each],
    run(
      [values, scale, bias, movingMean, movingVariance],
      [y, runningMean, runningVariance, means, variances],
    ) {
      for (let channel = 0; channel < channels; channel++) {
        const sumOf = (part: (value: number) => number): number => {
          let sum = 0;
          for (let image = 0; image < images; image++) {
            const from = image * row + channel * size;
            for (let i = from; i < from + size; i++) sum += part(values![i]!);
          }
          return sum;
        };
        const mean = sumOf((value) => value) / m;
        const variance = sumOf((value) => (value - mean) * (value - mean)) / m;
        const factor = scale![channel]! / Math.sqrt(variance + epsilon);
        for (let image = 0; image < images; image++) {
          const from = image * row + channel * size;
          for (let i = from; i < from + size; i++) y![i] = (values![i]! - mean) * factor + bias![channel]!;
        }
        means![channel] = mean;
        variances![channel] = variance;
        runningMean![channel] = movingMean![channel]! * momentum + mean * (1 - momentum);
        runningVariance![channel] = movingVariance![channel]! * momentum + variance * (1 - momentum);
      }
    },
  };
}

const batchNormalization: Operator = {
  inputs: [5, 5],
  lower(node) {
    const { x, seen, momentum, channels } = batchOf(node);
    const inputs = [seen, ...range(4, (i) => required(node, i + 1))];
    const other = inputs.slice(1).find(({ type, shape }) => type !== "float32" || sizeOf(shape) !== channels);
    if (other) {
      throw new Unsupported(
        `expected ${channels} numbers, got ${other.type} of shape ${shapeText(other.shape)}`,
      );
    }
    const [y, ...statistics] = onHost({ ...node, inputs }, batchStatistics(node, seen, channels, momentum));
    return [node.builder.reshaped(y!, x.shape), ...statistics];
  },
};

/** The means, and the reciprocals of the standard deviations, over the axes from `axis` on. */
function deviations(node: Node, { shape }: TensorType, axis: number): HostPlan {
  const epsilon = epsilonOf(node);
  const size = sizeOf(shape.slice(axis));
  const each: TensorType = { type: "float32", shape: shape.map((length, i) => (i < axis ? length : 1)) };
  return {
    outputs: [each, each],
    run([x], [means, inverses]) {
      for (let row = 0; row < means!.length; row++) {
        const values = x!.subarray(row * size, (row + 1) * size);
        let [sum, squares] = [0, 0];
        for (const value of values) sum += value;
        const mean = sum / size;
        for (const value of values) squares += (value - mean) * (value - mean);
        means![row] = mean;
        inverses![row] = 1 / Math.sqrt(squares / size + epsilon);
      }
    },
  };
}

const normalizationWithDeviations: Operator = {
  inputs: [2, 3],
  lower(node) {
    const x = required(node, 0);
    const axis = axisOf(node.attributes.int("axis", -1), x.shape.length);
    const statistics = onHost({ ...node, inputs: [x], outputs: 2 }, deviations(node, x, axis));
    return [...layerNormalization.lower({ ...node, outputs: 1 }), ...statistics];
  },
};

const lrn: Operator = {
  inputs: [1, 1],
  lower(node) {
    const { builder, attributes } = node;
    const { value } = imagesOf(node, required(node, 0));
    const size = attributes.requiredInt("size");
    if (size < 1) throw new Unsupported(`size: expected a positive integer, got ${size}`);
    const layer = layers.lrn({
      size,
      alpha: attributes.float("alpha", 1e-4),
      beta: attributes.float("beta", 0.75),
      bias: attributes.float("bias", 1),
    });
    return [builder.apply(layer, [value], value, value.order)];
  },
};

export function rareNormalizations(): OperatorTable {
  return {
    BatchNormalization: batchNormalization,
    LRN: lrn,
    LayerNormalization: normalizationWithDeviations,
  };
}
