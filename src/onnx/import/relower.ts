/** Lowers a graph that has been lowered before for inputs of other sizes, with the layers that do not depend on these. */
import type { SymbolicTensor } from "../../layers/contract.ts";
import { sameShape, type Shape } from "../../tensor.ts";
import type { NodeProto } from "../file/proto.ts";
import type { Builder } from "./builder.ts";
import type { Applied, Origin } from "./trace.ts";
import type { Lowered, LoweredNode } from "./lowered.ts";
import type { Operator } from "./operator.ts";
import { isComputed, isConstant, type Computed, type Value } from "./values.ts";

/** Layers from an earlier lowering do not do for these inputs: everything is to be lowered from the start. */
export class Stale extends Error {}

/** The types of layers whose options follow from no size of what `resizable` operators apply them to. */
const RESIZABLE: ReadonlySet<string> = new Set([
  "activation",
  "add",
  "batchNormalization",
  "concatenate",
  "conv2d",
  "multiply",
  "permute",
  "unary",
]);

/** The making of a value for other sizes, when nobody is to ask for more. */
const REFUSING: Origin = {
  withBias: () => {
    throw new Stale();
  },
};

/** Whether the same axes of two shapes have a single element, which decides about views and broadcasts. */
function alike(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !(a[i]! > 1 && b[i]! > 1)) return false;
  return true;
}

/** Whether a node pads its images as their sizes need it. */
function padsBySizes({ attributes }: NodeProto): boolean {
  return attributes.some(({ name, s }) => name === "auto_pad" && s?.startsWith("SAME"));
}

/**
 * Makes of each node what lowering would make of it, and knows which nodes it can do that for: those whose inputs are as
 * they were, and those of `resizable` operators where sizes have changed. Layers are shared with the earlier lowering,
 * under the same names; all else, such as values and their shapes, is new. Every other node has to be lowered.
 */
export class Relowering {
  readonly #base: Lowered;
  readonly #builder: Builder;
  /** What has become of the values and symbols of the earlier lowering. */
  readonly #values = new Map<Computed, Computed>();
  readonly #symbols = new Map<SymbolicTensor, SymbolicTensor>();
  /** Values of the earlier lowering that have been made otherwise. */
  readonly #remade = new Set<Computed>();

  /** @throws Stale when the earlier lowering had other inputs */
  constructor(base: Lowered, builder: Builder, inputs: ReadonlyMap<string, Computed>) {
    this.#base = base;
    this.#builder = builder;
    if (base.builder.batch !== builder.batch || base.inputs.size !== inputs.size) throw new Stale();
    for (const [name, value] of base.inputs) {
      const now = inputs.get(name);
      if (!now) throw new Stale();
      this.#becomes(value, now);
    }
  }

  /** The values that the node in this place defines; undefined when it has to be lowered. @throws Stale */
  again(
    place: number,
    proto: NodeProto,
    operator: Operator,
    inputs: LoweredNode["inputs"],
  ): readonly Value[] | undefined {
    const node = this.#base.nodes![place]!;
    if (!this.#fits(node, proto, operator, inputs)) return undefined;
    const builder = this.#builder;
    const { made, trace } = node;
    try {
      trace.fixed.forEach((source) => builder.fixed.add(source));
      trace.stored.forEach((weight) => builder.keep(weight));
      trace.applied.forEach((applied) => this.#apply(applied));
      trace.weights.forEach(({ source, value }) => builder.learn(source, this.#now(value)));
      return made.map((value) => (isConstant(value) ? value : this.#made(value)));
    } catch {
      // Lowering tells what is wrong.
      throw new Stale();
    }
  }

  /** Takes note of what lowering has made of the node in this place. */
  lowered(place: number, made: readonly Value[]): void {
    this.#base.nodes![place]!.made.forEach((value, i) => {
      const now = made[i];
      if (!isComputed(value) || !isComputed(now) || value.type !== now.type) return;
      if (this.#base.builder.origins.has(value) || this.#builder.origins.has(now)) this.#remade.add(value);
      if (value.order.join() === now.order.join()) this.#becomes(value, now);
    });
  }

  /** @throws Stale unless the same tensors of the file learn as before: the layers know of no others */
  check(): void {
    const [before, now] = [this.#base.builder.fixed, this.#builder.fixed];
    if (before.size !== now.size || ![...before].every((source) => now.has(source))) throw new Stale();
  }

  #becomes(value: Computed, now: Computed): void {
    const known = this.#symbols.get(value.symbol);
    if (known && known !== now.symbol) return;
    this.#symbols.set(value.symbol, now.symbol);
    if (!this.#values.has(value)) this.#values.set(value, now);
  }

  #fits(
    { inputs, made, trace }: LoweredNode,
    proto: NodeProto,
    operator: Operator,
    now: LoweredNode["inputs"],
  ): boolean {
    let resized = false;
    for (let i = 0; i < inputs.length; i++) {
      const value = inputs[i];
      const own = now[i];
      if (!isComputed(value)) {
        if (value !== own) return false;
        continue;
      }
      if (this.#values.get(value) !== own) return false;
      const { shape } = own!;
      if (sameShape(value.shape, shape)) continue;
      if (!alike(value.shape, shape) || value.shape[1] !== shape[1]) return false;
      resized = true;
    }
    const { applied, weights, asked } = trace;
    if (asked.some((value) => this.#remade.has(value))) return false;
    if (weights.some(({ source }) => this.#builder.weights.has(source))) return false;
    const isKnown = (symbol: SymbolicTensor): boolean =>
      this.#symbols.has(symbol) || applied.some(({ output }) => output === symbol);
    if (!applied.every(({ inputs: from }) => from.every(isKnown))) return false;
    if (!resized) return true;
    const free = operator.resizable === true && !padsBySizes(proto) && made.every(isComputed);
    return free && applied.every(({ layer }) => RESIZABLE.has(layer.type));
  }

  #apply(applied: Applied): void {
    const { inputs, output } = applied;
    const symbol = this.#builder.applyAgain(
      applied,
      inputs.map((from) => this.#symbols.get(from)!),
    );
    if (!symbol || !alike(output.shape, symbol.shape)) throw new Stale();
    this.#symbols.set(output, symbol);
  }

  /** What has become of a value: its shape is that of its symbol, with the axes in the order of the file. */
  #now(value: Computed): Computed {
    const known = this.#values.get(value);
    if (known) return known;
    const symbol = this.#symbols.get(value.symbol)!;
    const { type, order } = value;
    const shape = [...value.shape];
    for (let place = 1; place < order.length; place++) shape[order[place]!] = symbol.shape[place - 1]!;
    const now = { type, shape, order, symbol };
    this.#values.set(value, now);
    return now;
  }

  /** A value that a node defines, with its making. */
  #made(value: Computed): Computed {
    const now = this.#now(value);
    const origin = this.#base.builder.origins.get(value);
    if (origin) this.#builder.origins.set(now, this.#originNow(origin));
    return now;
  }

  #originNow({ activation, withBias }: Origin): Origin {
    if (activation) return { activation: { kind: activation.kind, of: this.#now(activation.of) } };
    // It would lower the node that made the value for the sizes that it had.
    return withBias ? REFUSING : {};
  }
}
