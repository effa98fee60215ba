/** Layers of users: `defineLayer` makes a kind of layer from functions on plain arrays, from kernels or from other layers. */
import { checkDefinition, configOf, type Definition } from "../definition.ts";
import { DTYPES, type DType } from "../dtype.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkName, checkOptions, flag, isPlainObject, listed, oneOf, show } from "../options.ts";
import { readShape, sizeOf, type Shape } from "../tensor.ts";
import { composed, type Composition } from "./compose.ts";
import {
  onlyInput,
  type BuildContext,
  type Layer,
  type LayerDefinition,
  type Pass,
  type WeightSpec,
} from "./contract.ts";
import { checkInitializer } from "./initializers.ts";
import { checkRegularizer, type Regularizer } from "./regularizers.ts";
import { layerOf } from "./symbolic.ts";
import { viewPass, type ViewFunctions } from "./views.ts";

/** A weight in a definition: its shape, its starting values, whether it learns, and its penalty, one of `regularizers.*`. */
export type WeightDefinition = Omit<WeightSpec, "name" | "origin" | "regularizer"> & {
  readonly regularizer?: Regularizer | undefined;
};

/** The properties of a layer that the planner reads; `LayerDefinition` explains each. */
type Traits = Pick<
  LayerDefinition,
  "differentiable" | "stopsGradient" | "backwardReads" | "overwrites" | "asEpilogue" | "fusable"
>;

/** A kind of layer that has a forward pass of its own, on arrays or by kernels. Each trait may depend on the options. */
type ComputedDefinition<Config extends object> = ComputedFunctions<Config> & {
  readonly [Trait in keyof Traits]: Traits[Trait] | ((config: Config) => Traits[Trait]);
};

interface ComputedFunctions<Config extends object> extends Definition<Config> {
  /** The shape of one image's output, without the batch. Default: that of the only input. @throws ShapeError */
  outputShape?(inputs: readonly Shape[], config: Config, where: string): Shape;
  /** The weights by name, for inputs of these shapes. Default: none. */
  weights?(inputs: readonly Shape[], config: Config): Readonly<Record<string, WeightDefinition>>;
  /** The type of the output's numbers. Default: float32, of inputs of float32. @throws OptionError naming `where` for others */
  outputType?(inputs: readonly DType[], config: Config, where: string): DType;
  /** True when the output is the input's memory under another shape, so that no pass runs. Default: false. */
  isView?(config: Config, training: boolean): boolean;
  /** @throws OptionError naming `where` unless the algorithm that `compile` was called with can compute the layer */
  checkAlgorithm?(inputs: readonly Shape[], config: Config, where: string, algorithm: ConvAlgorithm): void;
  readonly compose?: never;
}

/** A kind of layer in plain TypeScript, whose passes read and write `Float32Array`s. */
export type ArrayLayerDefinition<Config extends object> = ComputedDefinition<Config> &
  ViewFunctions<Config> & { readonly build?: never };

/** A kind of layer whose passes call kernels, like those of the package's own layers. */
export type KernelLayerDefinition<Config extends object> = ComputedDefinition<Config> & {
  /** Reserves buffers and returns the forward pass, with its `gradient` when `context.needsGradient` is true. */
  build(context: BuildContext, config: Config): Pass;
  readonly forward?: never;
  readonly backward?: never;
};

/** A kind of layer that is composed of others. */
export interface ComposedLayerDefinition<Config extends object> extends Definition<Config> {
  /**
   * Makes the parts and returns the function that applies them. It is called once for each layer, so that several uses of
   * one layer share their weights.
   */
  compose(config: Config): Composition;
  readonly forward?: never;
  readonly build?: never;
}

export type AnyLayerDefinition<Config extends object> =
  ArrayLayerDefinition<Config> | KernelLayerDefinition<Config> | ComposedLayerDefinition<Config>;

/** Makes a layer from its options and a name. */
export type LayerFactory<Config extends object> = (
  options?: Partial<Config> & { name?: string | undefined },
) => Layer;

/**
 * Makes a kind of layer. The result is a factory like those of `layers`, called with the options and a name.
 *
 * There are three ways to define the computation: `forward` and `backward` work on `Float32Array`s; `build` makes passes of
 * kernels, like the package's own layers; `compose` applies other layers. The defaults are those of a layer that maps each
 * image to one of the same shape and has no weights. Layers of the kind are saved by their options; to load them again, the
 * kind is registered first: `registerLayer(type, factory)`. A composed layer is saved as the layers it consists of.
 *
 * @example
 * const scale = defineLayer({
 *   type: "scale",
 *   config: { factor: 1 },
 *   forward: ({ x, y, config }) => x.forEach((value, i) => (y[i] = value * config.factor)),
 *   backward: ({ dy, dx, config }) => dx && dy.forEach((value, i) => (dx[i] = value * config.factor)),
 * });
 * const model = sequential({ inputShape: [4], layers: [scale({ factor: 2 }), layers.dense({ units: 1 })] });
 *
 * @throws OptionError naming what is missing or wrong in the definition; the factory throws it for options.
 */
export function defineLayer<Config extends object = Record<never, never>>(
  definition: AnyLayerDefinition<Config>,
): LayerFactory<Config> {
  checkDefinition("defineLayer", "a layer", definition);
  checkWay(definition);
  const { type } = definition;
  return (options = {}) => {
    if (!isPlainObject(options)) {
      throw new OptionError(`${type}: expected an object of options, got ${show(options)}`);
    }
    const { name, ...own } = options as { name?: string } & Partial<Config>;
    const config = configOf(definition, own as Partial<Config>, ["name"]);
    if (!definition.compose) return computed(definition, config, name);
    return composed(type, name, definition.compose(config));
  };
}

/** @throws OptionError unless the definition has one way to compute the layer */
function checkWay({ type, forward, build, compose }: Record<string, unknown>): void {
  const ways = Object.entries({ forward, build, compose }).filter(([, way]) => way !== undefined);
  const [way] = ways;
  if (ways.length !== 1 || typeof way![1] !== "function") {
    const got =
      ways.length === 1 ? `${way![0]} ${show(way![1])}` : listed(ways.map(([key]) => key)) || "none";
    throw new OptionError(
      `defineLayer: ${type as string}: expected one function forward, build or compose, got ${got}`,
    );
  }
}

/** Makes a layer that has passes of its own. */
function computed<Config extends object>(
  definition: ArrayLayerDefinition<Config> | KernelLayerDefinition<Config>,
  config: Config,
  name: string | undefined,
): Layer {
  const { type, outputShape, outputType, weights, isView, checkAlgorithm } = definition;
  const trait = <Trait extends keyof Traits>(which: Trait): Traits[Trait] | undefined => {
    const value = definition[which] as Traits[Trait] | ((config: Config) => Traits[Trait]) | undefined;
    return typeof value === "function" ? value(config) : value;
  };
  const weightsOf = (inputs: readonly Shape[]): WeightSpec[] =>
    Object.entries(weights?.(inputs, config) ?? {}).map(([weight, spec]) =>
      checkWeight(`${type}: weights`, weight, spec),
    );
  const onArrays = definition.forward !== undefined;
  const differentiable = trait("differentiable") ?? (!onArrays || definition.backward !== undefined);
  const asEpilogue = trait("asEpilogue");
  return layerOf({
    type,
    name,
    config,
    outputShape: (inputs, where) =>
      outputShape
        ? readShape(`${where}: outputShape`, outputShape(inputs, config, where))
        : onlyInput(inputs, where),
    weights: weightsOf,
    isView: (training) => isView?.(config, training) ?? false,
    differentiable,
    stopsGradient: trait("stopsGradient") ?? false,
    backwardReads: trait("backwardReads") ?? { x: onArrays, y: onArrays },
    overwrites: trait("overwrites") ?? [],
    fusable: trait("fusable") ?? [],
    ...(asEpilogue && { asEpilogue }),
    ...(outputType && {
      outputType: (inputs: readonly DType[], where: string) => outputType(inputs, config, where),
    }),
    ...(checkAlgorithm && {
      checkAlgorithm: (inputs: readonly Shape[], where: string, algorithm: ConvAlgorithm) =>
        checkAlgorithm(inputs, config, where, algorithm),
    }),
    build(context) {
      if (definition.build) return definition.build(context, config);
      return viewPass(context, definition, config, weightsOf(context.inputs));
    },
  });
}

/** Checks a weight of a definition and adds its name. @throws OptionError, ShapeError */
function checkWeight(where: string, name: string, spec: WeightDefinition): WeightSpec {
  checkName(where, name);
  checkOptions(`${where}: ${name}`, spec, ["shape", "dtype", "initializer", "trainable", "regularizer"]);
  const shape = readShape(`${where}: ${name}`, spec.shape);
  const dtype = oneOf(`${where}: ${name}: dtype`, spec.dtype ?? "float32", DTYPES);
  const trainable = flag(`${where}: ${name}: trainable`, spec.trainable ?? dtype === "float32");
  const { initializer, regularizer: penalty } = spec;
  const regularizer = penalty && checkRegularizer(`${where}: ${name}: regularizer`, penalty);
  if (regularizer && !trainable) {
    throw new OptionError(`${where}: ${name}: regularizer: expected none for a weight that does not learn`);
  }
  const known = { name, shape, dtype, trainable, regularizer };
  if (typeof initializer !== "function") {
    return { ...known, initializer: checkInitializer(`${where}: ${name}`, initializer) };
  }
  const start = (): Float32Array => {
    const data = initializer();
    if (data instanceof Float32Array && data.length === sizeOf(shape)) return data;
    throw new ShapeError(
      `${where}: ${name}: expected a Float32Array of ${sizeOf(shape)} numbers, got ${show(data)}`,
    );
  };
  return { ...known, initializer: start };
}
