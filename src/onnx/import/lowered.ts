import type { Builder } from "./builder.ts";
import type { Trace } from "./trace.ts";
import type { Computed, Value } from "./values.ts";

/** A node as it was lowered: the values that it read and defined, and what it did to the builder. */
export interface LoweredNode {
  readonly inputs: readonly (Value | undefined)[];
  readonly made: readonly Value[];
  readonly trace: Trace;
}

/** A file's graph as layers: what the net is given and what it returns, by name. */
export interface Lowered {
  readonly builder: Builder;
  /** Without those whose numbers were known. */
  readonly inputs: ReadonlyMap<string, Computed>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Every value that could be named. */
  readonly values: ReadonlyMap<string, Value>;
  /** The nodes in the order of the graph; absent when they were lowered with layers of an earlier lowering. */
  readonly nodes?: readonly LoweredNode[];
}
