import type { ConvAlgorithm } from "../../kernels/conv2d.ts";
import { MemoryError } from "../../errors.ts";
import { readMetadata, type ModelMetadata } from "../../metadata.ts";
import type { KernelEngine } from "../../runtime/engine.ts";
import type { TensorProto } from "../file/proto.ts";
import { checkImages, fedByFeeds, fedByShapes, misfit, type Feeds } from "./feedShapes.ts";
import type { OnnxGraph } from "./graph.ts";
import { Instance } from "./instance.ts";
import { NeedsInputs, NotComputed } from "./lower.ts";
import type { Lowered } from "./lowered.ts";
import { lowerNet, type Fed, type LoweredNet } from "./lowerNet.ts";
import type { OperatorTable } from "./operator.ts";
import { WeightStore } from "./weightStore.ts";

/** Plans that are kept, beside those in use: the last ones. */
const KEPT = 8;

/**
 * A net's plans: its graph lowered for what it was fed, one for each set of shapes, or of numbers where it depends on
 * those. The last ones are kept and found again, and all of them compute with the same weights.
 */
export class Plans {
  /** Inputs whose numbers decide about the graph: shapes, axes, filters that are fed at run time. */
  readonly deciding: Set<string> = new Set();
  readonly #graph: OnnxGraph;
  readonly #engine: KernelEngine;
  readonly #operators: OperatorTable;
  /** The net as it was last lowered for any number of images without layers of an earlier lowering. */
  #base: Lowered | undefined;
  readonly #algorithm: ConvAlgorithm;
  readonly #weights = new WeightStore();
  /** The one that was used last is the last one. */
  readonly #instances: Instance[] = [];
  /** What the file tells besides the net, where no model of a plan holds it. */
  #metadata: ModelMetadata;

  constructor(graph: OnnxGraph, engine: KernelEngine, operators: OperatorTable, algorithm: ConvAlgorithm) {
    this.#graph = graph;
    this.#engine = engine;
    this.#operators = operators;
    this.#algorithm = algorithm;
    this.#metadata = graph.metadata;
  }

  /** What is told besides the net: that of the model in use, which its user may have changed. */
  get metadata(): ModelMetadata {
    return this.current?.model?.metadata ?? readMetadata("metadata", this.#metadata);
  }

  /** @throws OptionError */
  set metadata(metadata: ModelMetadata) {
    this.#metadata = readMetadata("metadata", metadata);
    const model = this.current?.model;
    if (model) model.metadata = this.#metadata;
  }

  /** The plan that was used last; undefined before there is one. */
  get current(): Instance | undefined {
    return this.#instances.at(-1);
  }

  /** Why the net does not take any number of images; undefined when it does. */
  get notBatched(): string | undefined {
    const { current } = this;
    if (!current) return "its shapes are open, or follow from numbers that are fed";
    return current.model ? current.notBatched : "nothing in it is computed";
  }

  /** The plan for these inputs; undefined when it depends on numbers, which `deciding` then knows. */
  plan(where: string, fed: Fed): Instance | undefined {
    const { current } = this;
    if (current?.serves(fed)) return current;
    this.#weights.checkShared(where, this.#ownWeights);
    // One that somebody took to another engine, and the weights with it, is of no use here.
    this.#drop((each) => each !== current && each.model?.isCompiled === false);
    const known = this.#instances.find((each) => each.serves(fed));
    const instance = known ?? this.#planned(fed);
    if (!instance) return undefined;
    if (known) this.#instances.splice(this.#instances.indexOf(known), 1);
    const { metadata } = this;
    this.#instances.push(instance);
    this.metadata = metadata;
    if (current) instance.freezeAs(current);
    const idle = this.#instances.filter((each) => each.model?.inUse !== true);
    const old = new Set(idle.slice(0, -KEPT));
    this.#drop((each) => old.has(each));
    return instance;
  }

  /** Plans the net for the shapes that the file declares, unless they are open. */
  begin(): void {
    const { inputs } = this.#graph;
    const isOpen = inputs.some(({ dims }) => dims.slice(1).some((size) => typeof size === "string"));
    if (!isOpen) this.plan("loadOnnx", fedByShapes(inputs, {}, 1, true));
  }

  #lowered(fed: Fed): LoweredNet {
    const net = lowerNet({
      graph: this.#graph,
      fed,
      engine: this.#engine,
      operators: this.#operators,
      base: this.#base,
    });
    if (net.notBatched === undefined && net.lowered.nodes) this.#base = net.lowered;
    return net;
  }

  #planned(fed: Fed): Instance | undefined {
    try {
      return this.withMemory(() => {
        return new Instance(this.#lowered(fed), fed, this.#engine, this.#algorithm, this.#weights);
      });
    } catch (error) {
      if (!(error instanceof NeedsInputs)) throw error;
      for (const name of error.names) this.deciding.add(name);
      return undefined;
    }
  }

  /** Runs `work`; where memory does not suffice, again without the plans that are kept. @throws MemoryError */
  withMemory<T>(work: () => T, user?: Instance): T {
    try {
      return work();
    } catch (error) {
      this.#makeRoom(error, user);
      return work();
    }
  }

  /** Does the same for work that takes its time. */
  async withMemoryAsync<T>(work: () => Promise<T>, user: Instance): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#makeRoom(error, user);
      return work();
    }
  }

  /** Drops the plans that nobody uses. @throws the error unless it is one of memory, and there were such plans */
  #makeRoom(error: unknown, user: Instance | undefined): void {
    const unused = (each: Instance): boolean => each !== user && each.model?.inUse !== true;
    if (!(error instanceof MemoryError && this.#drop(unused))) throw error;
  }

  /** Forgets plans, and tells whether there were any. */
  #drop(which: (each: Instance) => boolean): boolean {
    const dropped = this.#instances.filter(which);
    for (const each of dropped) {
      this.#instances.splice(this.#instances.indexOf(each), 1);
      each.model?.dispose();
    }
    return dropped.length > 0;
  }

  /**
   * The plan for what `where` is fed, which is checked for any number of images when it is `open`; undefined as `plan`.
   * @throws ShapeError naming the inputs when nodes cannot be computed for what these are
   */
  planFor(where: string, fed: (open: boolean) => Fed): Instance | undefined {
    const open = !this.current || this.notBatched === undefined;
    const asked = fed(open);
    let instance: Instance | undefined;
    try {
      instance = this.plan(where, asked);
    } catch (error) {
      if (!(error instanceof NotComputed && error.ofInputs)) throw error;
      throw misfit(where, this.#graph.inputs, asked, error);
    }
    // A net that turns out to join images has as many as the file says.
    return instance && open && this.notBatched !== undefined ? this.planFor(where, fed) : instance;
  }

  /** The plan for these tensors. @throws ShapeError naming `where` and the input */
  planForFeeds(where: string, feeds: Feeds): Instance {
    const { inputs } = this.#graph;
    // Each time around, the graph depends on one more input at least.
    for (;;) {
      const instance = this.planFor(where, (open) => fedByFeeds(where, inputs, feeds, this.deciding, open));
      if (!instance) continue;
      if (this.notBatched === undefined) checkImages(where, inputs, feeds, this.deciding);
      return instance;
    }
  }

  get #ownWeights() {
    return this.#instances.flatMap(({ ownWeights }) => ownWeights);
  }

  /** The trained numbers of the file's tensors. @throws OptionError naming `where`, as `WeightStore.trained` */
  trained(where: string): ReadonlyMap<TensorProto, Float32Array> {
    return this.#weights.trained(where, this.#ownWeights);
  }

  /** Takes all plans off the engine, and forgets all but the one that was used last, which may be compiled again. */
  dispose(): void {
    const { current } = this;
    this.#drop((each) => each !== current);
    current?.model?.dispose();
  }
}
