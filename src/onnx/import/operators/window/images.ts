import type { Layer } from "../../../../layers/contract.ts";
import { shapeText } from "../../../../tensor.ts";
import { computedOf } from "../../constants.ts";
import { Unsupported } from "../../node.ts";
import type { Node } from "../../operator.ts";
import { channelsLast } from "../../order.ts";
import type { Computed, Value } from "../../values.ts";

/** The sizes of images `[n, c, …]`. */
export interface ImageSizes {
  readonly n: number;
  readonly c: number;
  /** The sizes of the axes after the channels. */
  readonly sizes: readonly number[];
}

/** Images with their channels last in memory. */
export interface Images extends ImageSizes {
  readonly value: Computed;
}

/** The sizes of images. @throws Unsupported unless the value is float32 with at least one axis after the channels */
export function checkImages({ shape, type }: Value): ImageSizes {
  if (type !== "float32") throw new Unsupported(`expected float32, got ${type}`);
  if (shape.length < 3) throw new Unsupported(`expected [n, c, …], got ${shapeText(shape)}`);
  const [n, c, ...sizes] = shape as [number, number, ...number[]];
  return { n, c, sizes };
}

/** Brings images to the order with channels last. @throws Unsupported as `checkImages` */
export function imagesOf({ builder }: Node, value: Value): Images {
  const sizes = checkImages(value);
  return { ...sizes, value: builder.ordered(computedOf(builder, value), channelsLast(value.shape.length)) };
}

/** Gives images of one dimension a height of 1. */
function withHeight({ builder }: Node, { value, n, c, sizes }: Images): Computed {
  if (sizes.length === 2) return value;
  return builder.ordered(builder.reshaped(value, [n, c, 1, ...sizes]) as Computed, channelsLast(4));
}

/** Applies a layer for images `[h, w, c]` to images of one or two dimensions, which makes `channels` of `sizes`. */
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
  if (sizes.length === 2) return y;
  return builder.reshaped(y, [images.n, channels, ...sizes]) as Computed;
}
