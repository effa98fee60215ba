import { sizeOf } from "../tensor.ts";
import type { Step } from "./fusion.ts";
import type { Graph } from "./graph.ts";

/**
 * Decides which values share a buffer. Returns, by value, the value that owns the buffer: the value itself, the input that
 * it is a view of, or, when `overwriting`, an input that its layer may overwrite. `training` says what is a view.
 *
 * An input may be overwritten when no later step reads its buffer, under any shape, this step does not read it as a further
 * operand, the model does not return it, and it is not an input of the model, which the caller owns.
 */
export function aliasValues(
  graph: Graph,
  steps: readonly Step[],
  training: boolean,
  overwriting = !training,
): number[] {
  const { inputs, outputs, shapes } = graph;
  const bufferOf = shapes.map((_, value) => value);
  const lastRead = shapes.map(() => -1);
  for (const { reads, index } of steps) for (const value of reads) lastRead[value] = index;
  for (const value of outputs) lastRead[value] = Infinity;
  for (let value = 0; value < inputs.length; value++) lastRead[value] = Infinity;
  /** By buffer, the last step that reads any of the values in it. */
  const bufferLastRead = [...lastRead];
  const alias = (value: number, buffer: number): void => {
    bufferOf[value] = buffer;
    bufferLastRead[buffer] = Math.max(bufferLastRead[buffer]!, lastRead[value]!);
  };
  for (const { node, index, reads, output } of steps) {
    const { layer } = node;
    if (layer.isView(training)) {
      alias(output, bufferOf[node.inputs[0]!]!);
      continue;
    }
    const { overwrites } = layer;
    if (!overwriting || !overwrites) continue;
    const later = new Set(reads.slice(overwrites.length).map((value) => bufferOf[value]));
    const isFree = (value: number): boolean =>
      sizeOf(shapes[value]!) === sizeOf(shapes[output]!) &&
      !later.has(bufferOf[value]) &&
      bufferLastRead[bufferOf[value]!]! <= index;
    const overwritten = overwrites.map((input) => node.inputs[input]!).find(isFree);
    if (overwritten !== undefined) alias(output, bufferOf[overwritten]!);
  }
  return bufferOf;
}
