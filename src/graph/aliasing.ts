import { sizeOf } from "../tensor.ts";
import type { Step } from "./fusion.ts";
import type { Graph } from "./graph.ts";

/**
 * By value, the value whose buffer it lies in: its own, that of the input that it is a view of, or, in inference, that of
 * an input that its layer may write over.
 *
 * An input may be written over when nothing reads it later, under any shape, neither another step nor this one as a further
 * operand, the model does not return it, and it is not the caller's.
 */
export function placeValues(graph: Graph, steps: readonly Step[], training: boolean): number[] {
  const { inputs, outputs, shapes } = graph;
  const places = shapes.map((_, value) => value);
  const lastRead = shapes.map(() => -1);
  for (const { reads, index } of steps) for (const value of reads) lastRead[value] = index;
  for (const value of outputs) lastRead[value] = Infinity;
  for (let value = 0; value < inputs.length; value++) lastRead[value] = Infinity;
  /** By place, the last read of all that lies there. */
  const lastOf = [...lastRead];
  const put = (value: number, place: number): void => {
    places[value] = place;
    lastOf[place] = Math.max(lastOf[place]!, lastRead[value]!);
  };
  for (const { node, index, reads, output } of steps) {
    const { layer } = node;
    if (layer.isView(training)) {
      put(output, places[node.inputs[0]!]!);
      continue;
    }
    const { overwrites } = layer;
    if (training || !overwrites) continue;
    const later = new Set(reads.slice(overwrites.length).map((value) => places[value]));
    const isFree = (value: number): boolean =>
      sizeOf(shapes[value]!) === sizeOf(shapes[output]!) &&
      !later.has(places[value]) &&
      lastOf[places[value]!]! <= index;
    const over = overwrites.map((input) => node.inputs[input]!).find(isFree);
    if (over !== undefined) put(output, places[over]!);
  }
  return places;
}
