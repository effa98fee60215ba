/** Which initializers of a file stay as they are in training. */
import { sizeOf } from "../../tensor.ts";
import { nodeName, type OnnxGraph } from "./graph.ts";
import type { Instance } from "./instance.ts";
import { CONSTANT } from "../../layers/constant.ts";
import type { Constant } from "../file/constant.ts";

/** An initializer of floats that no optimizer changes, and why. */
export interface FrozenInitializer {
  readonly name: string;
  readonly reason: string;
}

/** Lists the frozen initializers of a net that takes any number of images, as its layers are frozen now. */
export function frozenInitializers(graph: OnnxGraph, instance: Instance): FrozenInitializer[] {
  const { learning } = instance.model!;
  const uses = [...instance.stored()];
  return [...graph.initializers].flatMap(([name, constant]) => {
    if (!constant.weight) return [];
    const own = uses.filter(([, { source }]) => source === constant.source);
    if (own.some(([weight]) => learning.has(weight))) return [];
    const frozen = own.find(([, { layer }]) => !layer.trainable);
    if (frozen) return [{ name, reason: `the layer ${frozen[1].layer.name} is frozen` }];
    const { fixed } = instance.lowered.builder;
    if (fixed.has(constant.source!)) return [{ name, reason: reasonOf(graph, name, constant) }];
    const weights = own.map(([, { weight }]) => weight);
    if (weights.some((weight) => weight.startsWith("moving"))) {
      return [{ name, reason: "moving statistics have no gradient" }];
    }
    if (own.length > 0 && !weights.includes(CONSTANT)) return [{ name, reason: "no gradient comes to it" }];
    return [{ name, reason: reasonOf(graph, name, constant) }];
  });
}

/** Why a tensor is a constant to the nodes that read it. */
function reasonOf({ nodes }: OnnxGraph, name: string, { shape }: Constant): string {
  const readers = nodes.filter(({ inputs }) => inputs.includes(name));
  if (readers.length === 0) return "no node reads it";
  if (sizeOf(shape) < 2) return "a single number is a constant";
  const listed = readers.map((node) => `${nodeName(node)} (${node.opType})`);
  return `it is a constant to ${listed.join(", ")}`;
}
