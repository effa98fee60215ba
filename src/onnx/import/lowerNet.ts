import type { KernelEngine } from "../../runtime/engine.ts";
import { FormatError } from "../../errors.ts";
import type { Shape } from "../../tensor.ts";
import type { Constant } from "../file/constant.ts";
import { BatchDependent } from "./builder.ts";
import type { OnnxGraph } from "./graph.ts";
import { IMAGES } from "./images.ts";
import { Lowering } from "./lower.ts";
import type { Lowered } from "./lowered.ts";
import type { Operators } from "./operator.ts";
import { Stale } from "./relower.ts";

/** For each input, what a graph is lowered for: its shape or, where the graph depends on them, its numbers. */
export type Fed = ReadonlyMap<string, Shape | Constant>;

/** A net's graph, and why it does not take any number of images; undefined when it does. */
export interface LoweredNet {
  readonly lowered: Lowered;
  readonly notBatched: string | undefined;
}

/**
 * A net's graph, lowered for any number of images. Where an operator says that it cannot be, the graph is lowered once more,
 * for the very shapes that are known.
 */
export class NetLowering {
  readonly #graph: OnnxGraph;
  readonly #fed: Fed;
  readonly #engine: KernelEngine;
  #base: Lowered | undefined;
  #lowering: Lowering | undefined;
  #notBatched: string | undefined;

  /** `base` is the graph as it was lowered for any number of images of other sizes, if it was. */
  constructor(graph: OnnxGraph, fed: Fed, engine: KernelEngine, base?: Lowered) {
    this.#graph = graph;
    this.#fed = fed;
    this.#engine = engine;
    this.#base = base;
  }

  /**
   * Lowers it by these operators.
   * @throws Rare when they do not suffice: another call, with more, goes on where this one ended; NeedsInputs, FormatError,
   * MemoryError as `Lowering.run`
   */
  run(operators: Operators): LoweredNet {
    if (this.#notBatched === undefined) {
      try {
        this.#lowering ??= this.#forImages();
        return { lowered: this.#lowering.run(operators), notBatched: undefined };
      } catch (error) {
        if (error instanceof Stale) {
          this.#base = this.#lowering = undefined;
          return this.run(operators);
        }
        // The error may be due to the number of images.
        if (!(error instanceof BatchDependent || error instanceof FormatError)) throw error;
        this.#notBatched = error.message;
        this.#lowering = undefined;
      }
    }
    this.#lowering ??= new Lowering(this.#graph, this.#fed, this.#engine);
    return { lowered: this.#lowering.run(operators), notBatched: this.#notBatched };
  }

  /** @throws BatchDependent */
  #forImages(): Lowering {
    const open = new Map(this.#fed);
    const shapes = this.#graph.inputs.flatMap((input) => {
      const shape = this.#fed.get(input.name)!;
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
    return new Lowering(this.#graph, open, this.#engine, images, this.#base);
  }
}
