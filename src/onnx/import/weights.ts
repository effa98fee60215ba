import type { Layer } from "../../layers/contract.ts";
import { wideAxes, type WeightOrigin } from "../../layers/origin.ts";
import { sameShape, sizeOf, type Shape } from "../../tensor.ts";
import { BatchDependent, type Builder } from "./builder.ts";
import type { StoredWeight } from "./trace.ts";
import { Unsupported } from "./node.ts";
import { reorder } from "../file/reorder.ts";
import type { Constant } from "../file/constant.ts";

/** The mapping between a constant of the file and a weight of a layer. */
export interface WeightSource {
  readonly constant: Constant;
  /** The axis of the file that becomes each axis of the weight; default: as they are. */
  readonly order?: readonly number[];
  /** A factor that the numbers are multiplied with. */
  readonly scale?: number;
  /** Whether training changes it, if it changes such weights of the layer at all. Default: true. */
  readonly learns?: boolean;
}

/** A layer that starts with the file's numbers for some of its weights, by name. */
export function withWeights(
  builder: Builder,
  layer: Layer,
  sources: Readonly<Record<string, WeightSource>>,
): Layer {
  const { weights } = layer;
  const stored = new Map(
    Object.entries(sources).map(([weight, source]) => [weight, storedWeight(layer, weight, source)]),
  );
  for (const [weight, { constant }] of Object.entries(sources)) {
    const { type, ofShape } = constant;
    if (type !== "float32") throw new Unsupported(`${weight}: expected float32, got ${type}`);
    if (ofShape && builder.batch !== undefined)
      throw new BatchDependent("it computes with the number of images");
    builder.keep(stored.get(weight)!);
  }
  return Object.assign(layer, {
    weights: (inputs: readonly Shape[]) =>
      weights(inputs).map((spec) => {
        const own = stored.get(spec.name);
        if (!own) return spec;
        const [has, needs] = [sizeOf(sources[spec.name]!.constant.shape), sizeOf(spec.shape)];
        if (has !== needs) throw new Unsupported(`${spec.name}: expected ${needs} elements, got ${has}`);
        const { learns = true, constant } = sources[spec.name]!;
        const free = !constant.source || !builder.fixed.has(constant.source);
        return {
          ...spec,
          initializer: () => own.start(),
          trainable: learns && free && spec.trainable !== false,
          ...(own.origin && { origin: own.origin }),
        };
      }),
  });
}

/** The tensor that a weight is as a whole, in some order; undefined when it is a view of one, computed, or without a name. */
function originOf({ constant, scale = 1 }: WeightSource, order: readonly number[]): WeightOrigin | undefined {
  const { source, shape } = constant;
  const isWhole = source && sameShape(wideAxes(source.dims), wideAxes(shape));
  if (!isWhole || source.name === "" || scale !== 1) return undefined;
  return { name: source.name, shape, order };
}

function storedWeight(layer: Layer, weight: string, source: WeightSource): StoredWeight {
  const { constant, scale = 1 } = source;
  const { shape } = constant;
  const order = source.order ?? shape.map((_, axis) => axis);
  const sizes = order.map((axis) => shape[axis]!);
  const back = shape.map((_, axis) => order.indexOf(axis));
  const fromFile = (data: ArrayLike<number>): Float32Array => {
    const moved = reorder(data, shape, order);
    return scale === 1 ? moved : moved.map((value) => value * scale);
  };
  return {
    layer,
    weight,
    size: sizeOf(shape),
    source: constant.source,
    origin: originOf(source, order),
    layout: `${sizes.join("×")} ${order.join()} ${scale}`,
    start: () => fromFile(constant.data()),
    fromFile,
    toFile: (data) => reorder(scale === 1 ? data : data.map((value) => value / scale), sizes, back),
  };
}
