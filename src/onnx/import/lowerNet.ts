import type { KernelEngine } from "../../runtime/engine.ts";
import { FormatError } from "../../errors.ts";
import type { Shape } from "../../tensor.ts";
import type { Constant } from "../file/constant.ts";
import { BatchDependent } from "./builder.ts";
import type { OnnxGraph } from "./graph.ts";
import { IMAGES } from "./images.ts";
import { Lowering } from "./lower.ts";
import type { Lowered } from "./lowered.ts";
import type { OperatorTable } from "./operator.ts";
import { Stale } from "./relower.ts";

/** For each input, what a graph is lowered for: its shape or, where the graph depends on them, its numbers. */
export type Fed = ReadonlyMap<string, Shape | Constant>;

/** A net's graph, and why it does not take any number of images; undefined when it does. */
export interface LoweredNet {
  readonly lowered: Lowered;
  readonly notBatched: string | undefined;
}

/** What a net is lowered from. */
export interface NetSource {
  readonly graph: OnnxGraph;
  readonly fed: Fed;
  readonly engine: KernelEngine;
  readonly operators: OperatorTable;
  /** The graph as it was lowered for any number of images of other sizes, if it was. */
  readonly base: Lowered | undefined;
}

/**
 * Lowers a net's graph for any number of images. Where an operator says that it cannot be, the graph is lowered once more, for
 * the very shapes that are known.
 * @throws NeedsInputs, FormatError, MemoryError as `Lowering.run`
 */
export function lowerNet(source: NetSource): LoweredNet {
  const { graph, fed, engine, operators } = source;
  let notBatched: string;
  try {
    return { lowered: lowerForImages(source), notBatched: undefined };
  } catch (error) {
    if (error instanceof Stale) return lowerNet({ ...source, base: undefined });
    // The error may be due to the number of images.
    if (!(error instanceof BatchDependent || error instanceof FormatError)) throw error;
    notBatched = error.message;
  }
  return { lowered: new Lowering(graph, fed, engine, operators).run(), notBatched };
}

/** @throws BatchDependent, Stale */
function lowerForImages({ graph, fed, engine, operators, base }: NetSource): Lowered {
  const open = new Map(fed);
  const shapes = graph.inputs.flatMap((input) => {
    const shape = fed.get(input.name)!;
    return "data" in shape ? [] : [{ ...input, shape }];
  });
  const first = shapes[0];
  if (!first || first.shape.length < 2 || first.shape[0] === 0) {
    throw new BatchDependent("its first input has no axis of images");
  }
  const images = typeof first.dims[0] === "string" ? IMAGES : first.shape[0]!;
  for (const { name, dims, shape } of shapes) {
    const count = typeof dims[0] === "string" ? images : (dims[0] ?? -1);
    open.set(name, [count, ...shape.slice(1)]);
  }
  return new Lowering(graph, open, engine, operators, images, base).run();
}
