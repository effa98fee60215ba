import * as layers from "../../../../layers/index.ts";
import type { Layer } from "../../../../layers/contract.ts";
import { listed } from "../../../../options.ts";
import { sizeOf } from "../../../../tensor.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import { required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import type { Value } from "../../values.ts";
import { checkImages, imagesOf, overPlane } from "../window/images.ts";
import { asPlane, AUTO_PADS, slidingWindow, type Pair, type SlidingWindow } from "../window/window.ts";

/** The window that a pooling operator's attributes describe. */
export function poolWindow(node: Node, sizes: readonly number[]): SlidingWindow {
  const { attributes } = node;
  const kernel = attributes.ints("kernel_shape");
  if (!kernel) throw new Unsupported("kernel_shape: expected integers, got none");
  const window = slidingWindow(node, sizes, kernel, attributes.flag("ceil_mode", false));
  // A window within the padding has no elements, and so neither a maximum nor a mean.
  const wide = window.pads.findIndex((pad, i) => Math.max(...pad) >= kernel[i]!);
  if (wide < 0 || attributes.choice("auto_pad", AUTO_PADS) !== "NOTSET") return window;
  throw new Unsupported(
    `pads: expected less than the kernel's ${kernel[wide]}, got ${listed(window.pads[wide]!)}`,
  );
}

/** By axis: the padding before, and the padding after as far as windows reach. */
function reached({ kernel, strides, pads, sizes }: SlidingWindow, of: readonly number[]): Pair[] {
  return pads.map(([before], i) => {
    const end = (sizes[i]! - 1) * strides[i]! + kernel[i]!;
    return [before, Math.max(0, end - of[i]! - before)];
  });
}

/** Adds zeros around images. */
function withZeros(node: Node, x: Value, pads: readonly Pair[]): Value {
  const images = imagesOf(node, x);
  const sizes = images.sizes.map((size, i) => size + pads[i]![0] + pads[i]![1]);
  const padding = (pads.length === 1 ? [[0, 0], ...pads] : pads) as [Pair, Pair];
  return overPlane(node, layers.zeroPadding2d({ padding }), images, images.c, sizes);
}

/**
 * Applies a pooling layer to images of one or two dimensions. Windows must not be dilated nor lie within the padding alone.
 * With `counts` the file's padding counts as zeros.
 * @throws OtherForm for other images and windows
 */
function pooled(
  node: Node,
  x: Value,
  window: SlidingWindow,
  make: (options: { poolSize: Pair; strides: Pair; padding: [Pair, Pair] }) => Layer,
  counts = false,
): Value {
  const { kernel, dilations, sizes } = window;
  const pads = reached(window, x.shape.slice(2));
  const fits = (pad: Pair, i: number): boolean => Math.max(...pad) < kernel[i]!;
  if (kernel.length > 2 || dilations.some((step) => step > 1) || !pads.every(fits)) throw new OtherForm();
  const inside = pads.map(([before, after], i): Pair => [before, Math.min(after, window.pads[i]![1])]);
  const left = counts ? pads.map(([, after], i): Pair => [0, after - inside[i]![1]]) : pads;
  const images = imagesOf(node, counts ? withZeros(node, x, inside) : x);
  const plane = asPlane({ ...window, pads: left });
  const layer = make({
    poolSize: plane.kernel as Pair,
    strides: plane.strides as Pair,
    padding: plane.pads as [Pair, Pair],
  });
  return overPlane(node, layer, images, images.c, sizes);
}

const maxPool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const window = poolWindow(node, checkImages(x).sizes);
    node.attributes.ignore("storage_order");
    if (node.outputs > 1) throw new OtherForm();
    return [pooled(node, x, window, layers.maxPooling2d)];
  },
};

const averagePool: Operator = {
  inputs: [1, 1],
  lower(node) {
    const x = required(node, 0);
    const window = poolWindow(node, checkImages(x).sizes);
    const counts = node.attributes.flag("count_include_pad", false);
    const padded = counts && window.pads.flat().some((pad) => pad > 0);
    return [pooled(node, x, window, layers.averagePooling2d, padded)];
  },
};

/** Makes an operator that pools over all axes after the channels, by a layer for `[h, w, c]`. */
function globalPool(make: () => Layer): Operator {
  return {
    inputs: [1, 1],
    lower(node) {
      const { builder } = node;
      const x = required(node, 0);
      const { n, c, sizes } = checkImages(x);
      const row = imagesOf(node, builder.reshaped(x, [n, c, 1, sizeOf(sizes)]));
      const y = builder.applyToImages(make(), [row.value], { type: "float32", shape: [n, c] }, [0, 1]);
      return [builder.reshaped(y, [n, c, ...sizes.map(() => 1)])];
    },
  };
}

export function commonPools(): OperatorTable {
  return {
    AveragePool: averagePool,
    GlobalAveragePool: globalPool(layers.globalAveragePooling2d),
    GlobalMaxPool: globalPool(layers.globalMaxPooling2d),
    MaxPool: maxPool,
  };
}
