import * as layers from "../../../../layers/index.ts";
import { listed } from "../../../../options.ts";
import type { Shape } from "../../../../tensor.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import {
  checkSizes,
  constantInput,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { checkFilters, convolve, type Convolution } from "./common.ts";
import { checkImages, imagesOf, type ImageSizes } from "../window/images.ts";
import { AUTO_PADS, checkPadding, sharedPadding, type Pair, type SlidingWindow } from "../window/window.ts";

/** A window over the output, with as many positions as the input has pixels. */
interface TransposedWindow {
  readonly window: SlidingWindow;
  /** The sizes of the output. */
  readonly sizes: readonly number[];
  /** By axis: the number of elements after the last window that are not padding. */
  readonly extra: readonly number[];
}

/** The window over the output. `output_shape` determines the padding; without it, `pads` and `output_padding` the size. */
export function transposedWindow(
  { attributes }: Node,
  inputs: readonly number[],
  kernel: readonly number[],
): TransposedWindow {
  const rank = inputs.length;
  if (kernel.length !== rank) {
    throw new Unsupported(`kernel_shape: expected ${rank} integers, got [${listed(kernel)}]`);
  }
  const [strides, dilations] = [attributes.list("strides", rank, 1), attributes.list("dilations", rank, 1)];
  const [behind, written] = [
    attributes.list("output_padding", rank, 0),
    attributes.list("pads", 2 * rank, 0),
  ];
  const auto = attributes.choice("auto_pad", AUTO_PADS);
  checkPadding(auto, written);
  const same = auto.startsWith("SAME") ? inputs.map((size, i) => size * strides[i]!) : undefined;
  // Some files have all sizes in output_shape, also those of the batch and the channels.
  const wanted = attributes.ints("output_shape")?.slice(-rank) ?? same;
  const reached = inputs.map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1);
  const pads = reached.map((size, i): Pair => {
    if (!wanted) return auto === "VALID" ? [0, 0] : [written[i]!, written[rank + i]!];
    return sharedPadding(size + behind[i]! - wanted[i]!, auto);
  });
  const left = reached.map((size, i) => size - pads[i]![0] - pads[i]![1]);
  const sizes = checkSizes(left.map((size, i) => wanted?.[i] ?? size + behind[i]!));
  const extra = sizes.map((size, i) => size - left[i]!);
  // With more elements after the last window, some would be reached by no window.
  const wide = extra.findIndex(
    (size, i) => Math.max(size, behind[i]!) >= Math.max(strides[i]!, dilations[i]!),
  );
  if (wide >= 0) {
    const most = Math.max(strides[wide]!, dilations[wide]!);
    throw new Unsupported(
      `output_padding and output_shape: expected less than ${most} elements behind the last window along axis ${wide + 2}, got ${Math.max(extra[wide]!, behind[wide]!)}`,
    );
  }
  return { window: { kernel, strides, dilations, pads, sizes: inputs }, sizes, extra };
}

/** Reads a convolution's adjoint from a node's attributes and its filters `[c, f / groups, …]`. @throws Unsupported */
export function transposition(
  node: Node,
): TransposedWindow & { images: ImageSizes; filters: Shape; f: number } {
  const { attributes } = node;
  const images = checkImages(required(node, 0));
  const { shape: filters } = required(node, 1);
  const made = transposedWindow(node, images.sizes, attributes.ints("kernel_shape") ?? filters.slice(2));
  const groups = attributes.int("group", 1);
  const [c, fg] = filters as [number, number];
  const f = fg * groups;
  // The filters are those of the convolution whose input gradient it is.
  checkFilters({ ...images, c: f }, filters, groups, made.window);
  if (c !== images.c) throw new Unsupported(`expected filters for ${images.c} channels, got ${c}`);
  return { ...made, images, filters, f };
}

/** Over one or two axes it is a layer, unless the layer cannot add as many elements after the last window. */
const convTranspose: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { window, sizes, extra, f } = transposition(node);
    if (sizes.length > 2 || extra.some((size, i) => size < 0 || size >= window.strides[i]!))
      throw new OtherForm();
    const outputPadding = (extra.length === 1 ? [0, ...extra] : extra) as unknown as Pair;
    const convolution: Convolution = {
      images: imagesOf(node, required(node, 0)),
      filters: constantInput(node, 1, "filters"),
      window,
      f,
      sizes,
      make: (options) => layers.conv2dTranspose({ ...options, filters: f, outputPadding }),
    };
    return [convolve(node, convolution, node.inputs[2] && { constant: constantInput(node, 2, "bias") })];
  },
};

export function transposedConvolutions(): OperatorTable {
  return { ConvTranspose: convTranspose };
}
