import { FormatError, OptionError } from "../errors.ts";
import { decodeSafetensors } from "../formats/safetensors.ts";
import type { InferenceModel } from "../model/inferenceModel.ts";
import { isPlainObject, oneOf, readOptions, show } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { DTYPES } from "./dtypes.ts";
import { matchModules, tensorName, type FileModules } from "./match.ts";
import { modulesOf } from "./modules.ts";
import { Orders } from "./orders.ts";

/** The order of the axes of the images in PyTorch's net. */
type Layout = "NCHW" | "NHWC";

export interface StateDictOptions {
  /**
   * The order in which PyTorch's net has the axes of images, which its flattenings count. Default: `"NCHW"`, as all of
   * PyTorch's layers; `"NHWC"` for a net that permutes images before it flattens them.
   */
  layout?: Layout | undefined;
  /** PyTorch's names of modules by the names of layers, of those that would not be found: `{ dense: "classifier.6" }`. */
  names?: Readonly<Record<string, string>> | undefined;
}

/** A tensor of the state dict, and the weight that it has become, `layer.weight`. */
export interface LoadedTensor {
  readonly tensor: string;
  readonly weight: string;
}

function readNames(where: string, value: unknown): Readonly<Record<string, string>> {
  const isMap = isPlainObject(value) && Object.values(value).every((path) => typeof path === "string");
  if (isMap) return { ...value } as Record<string, string>;
  throw new OptionError(`${where}: expected PyTorch's names by the names of layers, got ${show(value)}`);
}

const readLayout = (where: string, value: unknown): Layout => oneOf(where, value, ["NCHW", "NHWC"]);

/** The number of batches that batch normalization has seen, which no layer needs. */
const COUNTER = "num_batches_tracked";

/** The tensors by their modules. @throws FormatError */
function readModules(bytes: Uint8Array): FileModules {
  const modules = new Map<string, Map<string, { shape: number[]; data: Float32Array }>>();
  for (const [path, tensor] of decodeStateDict(bytes)) {
    const dot = path.lastIndexOf(".");
    const [module, name] = [path.slice(0, Math.max(dot, 0)), path.slice(dot + 1)];
    if (name === COUNTER) continue;
    const tensors = modules.get(module) ?? new Map<string, { shape: number[]; data: Float32Array }>();
    modules.set(module, tensors.set(name, tensor));
  }
  return modules;
}

function decodeStateDict(bytes: Uint8Array): ReturnType<typeof decodeSafetensors>["tensors"] {
  try {
    return decodeSafetensors(bytes, DTYPES).tensors;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`loadStateDict: ${error.message}`, { cause: error });
  }
}

/**
 * Replaces the weights of a model by those of a net that PyTorch trained, from the safetensors file of its `state_dict()`, all
 * or none. Filters, matrices and what stands behind a flattening are turned to the package's order; counters of batches are
 * left out; float16 and bfloat16 are widened, exactly.
 *
 * A layer takes the module of its name, where dots may be underscores, else the one of its kind and sizes. Among several of
 * those the numbers in their names decide, in the order of the layers; where names differ otherwise, `names` has to tell.
 *
 * @returns where each tensor went, in the order of `model.weights`
 * @throws FormatError when the file is broken; ShapeError naming a tensor that is missing, left over, of another shape or
 * ambiguous; OptionError for options, and for a layer that mixes the elements of a flattened image
 */
export function loadStateDict(
  model: InferenceModel,
  bytes: Uint8Array,
  options: StateDictOptions = {},
): LoadedTensor[] {
  const { layout, names } = readOptions(
    "loadStateDict",
    options,
    { layout: [readLayout, "NCHW"], names: [readNames, {}] },
    [],
  );
  // It is no part of what users call.
  const graph = model?.["graph"];
  if (!graph) throw new OptionError(`loadStateDict: expected a model, got ${show(model)}`);
  const owns = modulesOf(graph, layout === "NCHW" ? new Orders(graph) : undefined);
  const modules = readModules(bytes);
  const found = matchModules(owns, modules, names);
  const weights = new Map<string, Tensor>();
  const loaded = owns.flatMap((own) => {
    const path = found.get(own)!;
    return own.tensors.map(({ name, weight, convert }): LoadedTensor => {
      weights.set(weight, convert(modules.get(path)!.get(name)!.data));
      return { tensor: tensorName(path, name), weight };
    });
  });
  model.setWeights(weights);
  return loaded;
}
