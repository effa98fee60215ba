/** Layers of users: `defineLayer` makes a kind of layer of functions on plain arrays, of kernels, or of other layers. */
import { DTYPES, type DType } from "../dtype.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { ConvAlgorithm } from "../kernels/conv2d.ts";
import { checkName, checkOptions, copyJson, flag, isPlainObject, listed, oneOf, show } from "../options.ts";
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
import { layerOf } from "./symbolic.ts";
import { viewPass, type ViewFunctions } from "./views.ts";

/** A weight in a definition: its shape for one image's inputs, and how it starts. */
export type WeightDefinition = Omit<WeightSpec, "name">;

/** What all kinds of layers are defined by. */
interface Definition<Config extends object> {
  /** What files and summaries call the kind, and `registerLayer` registers it under. */
  readonly type: string;
  /**
   * The options with their defaults, as JSON; or a function that checks the options that a user gives and fills in the
   * defaults. Of an object, options of other names are refused.
   */
  readonly config?: Config | ((options: Partial<Config>) => Config);
}

/** What a layer says of itself that the planner goes by; `LayerDefinition` explains each. */
type Traits = Pick<
  LayerDefinition,
  "differentiable" | "stopsGradient" | "backwardReads" | "overwrites" | "asEpilogue" | "fusable"
>;

/** A kind of layer whose forward pass is given, on arrays or by kernels. Each trait may depend on the options. */
type ComputedDefinition<Config extends object> = ComputedFunctions<Config> & {
  readonly [Trait in keyof Traits]: Traits[Trait] | ((config: Config) => Traits[Trait]);
};

interface ComputedFunctions<Config extends object> extends Definition<Config> {
  /** Shape of one image's output, without the batch. Default: that of the only input. @throws ShapeError */
  outputShape?(inputs: readonly Shape[], config: Config, where: string): Shape;
  /** The weights by name, for inputs of these shapes. Default: none. */
  weights?(inputs: readonly Shape[], config: Config): Readonly<Record<string, WeightDefinition>>;
  /** The type of the output's numbers. Default: that of the first input. */
  outputType?(inputs: readonly DType[], config: Config): DType;
  /** True when the output is the input's memory under another shape, so that no pass runs. Default: false. */
  isView?(config: Config, training: boolean): boolean;
  /** @throws OptionError naming `where` when `compile` asks for an algorithm that the layer's convolutions cannot have. */
  checkAlgorithm?(inputs: readonly Shape[], config: Config, where: string, algorithm: ConvAlgorithm): void;
  readonly compose?: never;
}

/** A kind of layer in plain TypeScript: its passes see the numbers as `Float32Array`. */
export type ArrayLayerDefinition<Config extends object> = ComputedDefinition<Config> &
  ViewFunctions<Config> & { readonly build?: never };

/** A kind of layer whose passes call kernels, as those of the package do. */
export type KernelLayerDefinition<Config extends object> = ComputedDefinition<Config> & {
  /** Asks for buffers and makes the forward pass, with its `gradient` when `context.needsGradient`. */
  build(context: BuildContext, config: Config): Pass;
  readonly forward?: never;
  readonly backward?: never;
};

/** A kind of layer that is composed of others. */
export interface ComposedLayerDefinition<Config extends object> extends Definition<Config> {
  /**
   * Makes the layers that it is composed of and returns what applies them. It is called once for each layer, so that
   * several uses of one share their weights.
   */
  compose(config: Config): Composition;
  readonly forward?: never;
  readonly build?: never;
}

export type AnyLayerDefinition<Config extends object> =
  ArrayLayerDefinition<Config> | KernelLayerDefinition<Config> | ComposedLayerDefinition<Config>;

/** Makes a layer of a kind from its options and a name. */
export type LayerFactory<Config extends object> = (options?: Partial<Config> & { name?: string }) => Layer;

/**
 * Makes a kind of layer: a factory like those of `layers`, which takes the options and a name.
 *
 * There are three ways to say what it computes: `forward` and `backward` on `Float32Array`s; `build`, which makes passes of
 * kernels as the package's own layers do; `compose`, which is made of other layers. Whatever is left out has the default of
 * a layer that maps each image to one of the same shape and has no weights. Layers of the kind are saved by their options;
 * to load them again, the kind is registered first: `registerLayer(type, factory)`. A composed layer is saved as the layers
 * it is made of.
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
  checkDefinition(definition);
  const { type } = definition;
  return (options = {}) => {
    if (!isPlainObject(options)) {
      throw new OptionError(`${type}: expected an object of options, got ${show(options)}`);
    }
    const { name, ...own } = options as { name?: string } & Partial<Config>;
    const config = configOf(definition, own as Partial<Config>);
    if (!definition.compose) return computed(definition, config, name);
    return composed(type, name, definition.compose(config));
  };
}

function checkDefinition(definition: unknown): asserts definition is object {
  if (!isPlainObject(definition)) {
    throw new OptionError(`defineLayer: expected a definition of a layer, got ${show(definition)}`);
  }
  const { type, config = {}, forward, build, compose } = definition;
  if (typeof type !== "string" || !/^[A-Za-z][\w.-]*$/.test(type)) {
    throw new OptionError(
      `defineLayer: type: expected a letter, then letters, digits, "_", "." and "-", got ${show(type)}`,
    );
  }
  if (!isPlainObject(config) && typeof config !== "function") {
    throw new OptionError(
      `defineLayer: ${type}: config: expected options with their defaults, or a function that fills them in, got ${show(config)}`,
    );
  }
  const ways = Object.entries({ forward, build, compose }).filter(([, way]) => way !== undefined);
  const [way] = ways;
  if (ways.length !== 1 || typeof way![1] !== "function") {
    const got =
      ways.length === 1 ? `${way![0]} ${show(way![1])}` : listed(ways.map(([key]) => key)) || "none";
    throw new OptionError(
      `defineLayer: ${type}: expected one function forward, build or compose, got ${got}`,
    );
  }
}

/** The options with the defaults for those that are left out, as a copy. */
function configOf<Config extends object>(
  { type, config = {} as Config }: Definition<Config>,
  options: Partial<Config>,
): Config {
  if (typeof config === "function") return copyJson(type, config(options));
  checkOptions(type, options, [...Object.keys(config), "name"]);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return copyJson(type, { ...config, ...(Object.fromEntries(given) as Partial<Config>) });
}

/** A layer that computes by passes of its own. */
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
    ...(outputType && { outputType: (inputs: readonly DType[]) => outputType(inputs, config) }),
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

/** A weight of a definition, as the rest of the package has it. @throws OptionError, ShapeError */
function checkWeight(where: string, name: string, spec: WeightDefinition): WeightSpec {
  checkName(where, name);
  checkOptions(`${where}: ${name}`, spec, ["shape", "dtype", "initializer", "trainable"]);
  const shape = readShape(`${where}: ${name}`, spec.shape);
  const dtype = oneOf(`${where}: ${name}: dtype`, spec.dtype ?? "float32", DTYPES);
  const trainable = flag(`${where}: ${name}: trainable`, spec.trainable ?? dtype === "float32");
  const { initializer } = spec;
  if (typeof initializer !== "function") {
    return { name, shape, dtype, trainable, initializer: checkInitializer(`${where}: ${name}`, initializer) };
  }
  const start = (): Float32Array => {
    const data = initializer();
    if (data instanceof Float32Array && data.length === sizeOf(shape)) return data;
    throw new ShapeError(
      `${where}: ${name}: expected a Float32Array of ${sizeOf(shape)} numbers, got ${show(data)}`,
    );
  };
  return { name, shape, dtype, trainable, initializer: start };
}
