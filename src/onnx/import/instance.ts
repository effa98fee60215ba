import type { ConvAlgorithm } from "../../kernels/conv2d.ts";
import type { KernelEngine } from "../../runtime/engine.ts";
import { FormatError, OptionError, ShapeError } from "../../errors.ts";
import type { SymbolicTensor } from "../../layers/contract.ts";
import { modelOf } from "../../model/functional.ts";
import type { Model } from "../../model/model.ts";
import type { SharedSlots } from "../../graph/weightBlock.ts";
import { listed } from "../../options.ts";
import type { Shape } from "../../tensor.ts";
import type { StoredWeight } from "./trace.ts";
import { symbolsBefore } from "./lower.ts";
import type { Lowered } from "./lowered.ts";
import type { Fed, LoweredNet } from "./lowerNet.ts";
import type { Constant } from "../file/constant.ts";
import type { HeldWeight, WeightStore } from "./weightStore.ts";
import { isComputed, isConstant, type Computed } from "./values.ts";

/** A value by the name that the file has for it. */
interface Named {
  readonly name: string;
  readonly value: Computed;
}

/** An end of a net that is computed. */
export interface End extends Named {
  /**
   * Its name in the model: that of the file for an output, and for an input one in the letters that names of inputs
   * have.
   */
  readonly key: string;
}

/** A file's graph lowered for what is fed, as a model on an engine. */
export class Instance {
  readonly lowered: Lowered;
  /** Why it does not take any number of images; undefined when it does. */
  readonly notBatched: string | undefined;
  /** Absent when nothing is computed: all outputs are known. */
  readonly model: Model | undefined;
  readonly inputs: readonly End[];
  readonly outputs: readonly End[];
  readonly constants: readonly (Constant & { readonly name: string })[];
  /** Weights that are no other's, since the file computes them from the shapes. */
  readonly ownWeights: readonly HeldWeight[];
  readonly #fed: Fed;

  /** @throws FormatError, MemoryError */
  constructor(
    { lowered, notBatched }: LoweredNet,
    fed: Fed,
    engine: KernelEngine,
    algorithm: ConvAlgorithm,
    weights: WeightStore,
  ) {
    this.lowered = lowered;
    this.notBatched = notBatched;
    this.#fed = fed;
    const named = [...lowered.outputs].map(([name, value]) => ({ name, value }));
    const ends = named.flatMap(({ name, value }) => (isComputed(value) ? [{ name, value }] : []));
    this.constants = named.flatMap(({ name, value }) => (isConstant(value) ? [{ ...value, name }] : []));
    const used = symbolsBefore(ends.map(({ value }) => value.symbol));
    const begins = [...lowered.inputs].flatMap(([name, value]) =>
      used.has(value.symbol) ? [{ name, value }] : [],
    );
    const { shared, own } = weights.slotsFor(lowered.builder);
    this.ownWeights = own;
    if (ends.length > 0) {
      this.model = modelBetween(begins, ends, shared);
      weights.resume();
      this.model.compile({ engine, algorithm });
    }
    const { inputs = [] } = this.model ?? {};
    this.inputs = begins.map((end, i) => ({ ...end, key: inputs[i]!.name }));
    this.outputs = ends.map((end) => ({ ...end, key: end.name }));
  }

  /** Why it does not train, as its layers are frozen now; undefined when it does. */
  get notTrainable(): string | undefined {
    const { model, outputs } = this;
    if (!outputs.some(({ value }) => value.type === "float32")) {
      return `expected an output of float32 to have a loss, got ${listed(outputs.map(({ name }) => name))}`;
    }
    const fault = model!.trainingFault;
    return fault && `expected ${fault.expected}, got ${fault.got}`;
  }

  /** Freezes the layers that another plan of the net has frozen, and no others. */
  freezeAs(other: Instance): void {
    const frozen = new Map(other.model?.layers.map(({ name, trainable }) => [name, trainable]));
    for (const layer of this.model?.layers ?? []) layer.trainable = frozen.get(layer.name) ?? layer.trainable;
  }

  /**
   * Whether it serves what is fed: the same numbers where they are known, else the same shapes but for the images.
   */
  serves(fed: Fed): boolean {
    const first = this.model && this.notBatched === undefined ? 1 : 0;
    for (const [name, own] of this.#fed) {
      const other = fed.get(name)!;
      if ("data" in own !== "data" in other) return false;
      const [mine, its] =
        "data" in own
          ? [own.data(), (other as Constant).data()]
          : [own.slice(first), (other as Shape).slice(first)];
      if (mine.length !== its.length || !mine.every((value: number, i: number) => Object.is(value, its[i])))
        return false;
      if ("data" in own && own.shape.join() !== (other as Constant).shape.join()) return false;
    }
    return true;
  }

  /** The weights that the model has, with its names for them. */
  *stored(): Generator<readonly [name: string, weight: StoredWeight]> {
    const { weights } = this.model!;
    for (const weight of this.lowered.builder.stored) {
      const name = `${weight.layer.name}.${weight.weight}`;
      if (weights.has(name)) yield [name, weight];
    }
  }
}

/** @throws FormatError for what no model can be, such as one of too many weights, or without an input */
function modelBetween(begins: readonly Named[], ends: readonly Named[], shared: SharedSlots): Model {
  const symbols = (these: readonly Named[]): SymbolicTensor[] => these.map(({ value }) => value.symbol);
  const names = ends.map(({ name }) => name);
  // Integers have no slope: there is no loss for them.
  const lossOutputs = ends.flatMap(({ value }, place) => (value.type === "float32" ? [place] : []));
  try {
    return modelOf({ inputs: symbols(begins), outputs: symbols(ends) }, { names, lossOutputs }, shared);
  } catch (error) {
    if (!(error instanceof ShapeError || error instanceof OptionError)) throw error;
    throw new FormatError(`loadOnnx: ${error.message}`, { cause: error });
  }
}
