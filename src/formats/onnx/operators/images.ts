import type { Layer } from "../../../layers/layer.ts";
import { channelsLast } from "../builder.ts";
import { Unsupported } from "../node.ts";
import type { Node } from "../operator.ts";
import type { Computed, Value } from "../values.ts";

/** An image `[n, c, …]` of one or two dimensions, lying with its channels last; and how many it has. */
export interface Images {
  readonly value: Computed;
  readonly n: number;
  readonly c: number;
  /** Sizes behind the channels. */
  readonly sizes: readonly number[];
}

/** @throws Unsupported unless it has at least one axis behind its channels */
export function imagesOf({ builder }: Node, value: Value): Images {
  const { shape, type } = value;
  if (type !== "float32") throw new Unsupported(`expected float32, got ${type}`);
  if (shape.length < 3) throw new Unsupported(`expected [n, c, …], got ${shape.join("×")}`);
  const [n, c, ...sizes] = shape as [number, number, ...number[]];
  return { value: builder.ordered(builder.computed(value), channelsLast(shape.length)), n, c, sizes };
}

/** The values as images with a height: those of one dimension get one of 1. */
function withHeight({ builder }: Node, { value, n, c, sizes }: Images): Computed {
  if (sizes.length === 2) return value;
  return builder.ordered(builder.reshaped(value, [n, c, 1, ...sizes]) as Computed, channelsLast(4));
}

/** What a layer for images `[h, w, c]` makes of images of one or two dimensions: `channels` of `sizes`. */
export function overPlane(
  node: Node,
  layer: Layer,
  images: Images,
  channels: number,
  sizes: readonly number[],
): Computed {
  const { builder } = node;
  const plane = sizes.length === 1 ? [1, ...sizes] : sizes;
  const type = { type: "float32", shape: [images.n, channels, ...plane] } as const;
  const y = builder.applyToImages(layer, [withHeight(node, images)], type, channelsLast(4));
  return builder.reshaped(y, [images.n, channels, ...sizes]) as Computed;
}
