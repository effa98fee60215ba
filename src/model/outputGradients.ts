/** Gradients of outputs that users give, from which those of the inputs follow. */
import { ShapeError } from "../errors.ts";
import { lossOutputsOf, type Graph } from "../graph/graph.ts";
import { isNamed, placeOf, type Named } from "../graph/namedTensors.ts";
import { checkOptions, isPlainObject, listed, show } from "../options.ts";
import { expectShape, readTensor, type Filled, type Tensor } from "../tensor.ts";

/** The gradients of outputs, `[n, ...shape of the output]`: that of the only one, or those of some by name. */
export interface OutputGradients {
  readonly outputGradients: Tensor | Named<Tensor>;
}

/** Gradients in the order of the outputs that can have a loss; absent ones are zero. */
export interface Seeds {
  readonly tensors: readonly (Filled | undefined)[];
  /** @throws ShapeError unless they are for `n` images */
  check(n: number): void;
}

/** Reads gradients of outputs; undefined when `target` is something else. @throws ShapeError, OptionError */
export function readOutputGradients(where: string, target: unknown, graph: Graph): Seeds | undefined {
  if (!isPlainObject(target) || !Object.hasOwn(target, "outputGradients")) return undefined;
  checkOptions(where, target, ["outputGradients"]);
  const place = `${where}: outputGradients`;
  const given = target["outputGradients"] as Tensor | Named<Tensor>;
  const outputs = lossOutputsOf(graph);
  const names = outputs.map(({ name }) => name);
  const record = isNamed(given, names) ? given : undefined;
  if (!record && names.length !== 1) {
    throw new ShapeError(`${place}: expected a record of some of ${listed(names)}, got ${show(given)}`);
  }
  const unknown = Object.keys(record ?? {}).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ShapeError(`${place}: expected some of ${listed(names)}, got ${unknown} besides`);
  }
  const tensors = names.map((name, i) => {
    if (record && !Object.hasOwn(record, name)) return undefined;
    const tensor = record ? record[name] : given;
    return readTensor(placeOf(place, names, i), tensor as Tensor);
  });
  return {
    tensors,
    check(n) {
      tensors.forEach((tensor, i) => {
        if (tensor) expectShape(placeOf(place, names, i), tensor.shape, [n, ...outputs[i]!.shape]);
      });
    },
  };
}
