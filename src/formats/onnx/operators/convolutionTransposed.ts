/** Operators that add up what windows over their output get: the adjoints of convolutions and pooling. */
import * as layers from "../../../layers/index.ts";
import { sizeOf } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import {
  constantInput,
  known,
  onHost,
  onHostByImage,
  required,
  type Node,
  type Operator,
} from "../operator.ts";
import { along, range } from "./along.ts";
import { checkFilters, convolve, type Convolution } from "./convolution.ts";
import { foldPlan, transposedPlan } from "./convolutionPlans.ts";
import { checkImages, imagesOf } from "./images.ts";
import { AUTO_PADS, sharedPadding, slidingWindow, type Pair, type SlidingWindow } from "./window.ts";

/** A window over the output, with as many positions as the input has pixels. */
interface TransposedWindow {
  readonly window: SlidingWindow;
  /** Of the output. */
  readonly sizes: readonly number[];
  /** Elements of the output behind all windows, beside the padding. */
  readonly extra: readonly number[];
}

/** `output_shape` tells how much is cut off as padding; else the padding and `output_padding` tell the size. */
function transposedWindow(
  { attributes }: Node,
  inputs: readonly number[],
  kernel: readonly number[],
): TransposedWindow {
  const rank = inputs.length;
  if (kernel.length !== rank) {
    throw new Unsupported(`kernel_shape: expected ${rank} integers, got [${kernel.join(", ")}]`);
  }
  const list = (name: string, length: number, absent: number): readonly number[] => {
    const values = attributes.ints(name) ?? range(length, () => absent);
    if (values.length === length) return values;
    throw new Unsupported(`${name}: expected ${length} integers, got [${values.join(", ")}]`);
  };
  const [strides, dilations] = [list("strides", rank, 1), list("dilations", rank, 1)];
  const [behind, written] = [list("output_padding", rank, 0), list("pads", 2 * rank, 0)];
  const auto = attributes.choice("auto_pad", AUTO_PADS);
  const same = auto.startsWith("SAME") ? inputs.map((size, i) => size * strides[i]!) : undefined;
  // Some files give all sizes.
  const wanted = attributes.ints("output_shape")?.slice(-rank) ?? same;
  const reached = inputs.map((size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1);
  const pads = reached.map((size, i): Pair => {
    if (!wanted) return auto === "VALID" ? [0, 0] : [written[i]!, written[rank + i]!];
    return sharedPadding(size + behind[i]! - wanted[i]!, auto);
  });
  const left = reached.map((size, i) => size - pads[i]![0] - pads[i]![1]);
  const sizes = left.map((size, i) => wanted?.[i] ?? size + behind[i]!);
  const extra = sizes.map((size, i) => size - left[i]!);
  return { window: { kernel, strides, dilations, pads, sizes: inputs }, sizes, extra };
}

/** Of one and two dimensions it is a layer, where that can add as much behind as the file asks for; else a plan. */
const convTranspose: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { attributes } = node;
    const x = required(node, 0);
    const images = checkImages(x);
    const { shape } = required(node, 1);
    const kernel = attributes.ints("kernel_shape") ?? shape.slice(2);
    const { window, sizes, extra } = transposedWindow(node, images.sizes, kernel);
    const groups = attributes.int("group", 1);
    const [c, fg] = shape as [number, number];
    // As the filters of the convolution whose input gradient it is.
    checkFilters({ ...images, c: fg * groups }, shape, groups, window);
    if (c !== images.c) throw new Unsupported(`expected filters for ${images.c} channels, got ${c}`);
    if (kernel.length > 2 || extra.some((size, i) => size < 0 || size >= window.strides[i]!)) {
      return onHostByImage(node, images.n, (n) =>
        transposedPlan({ ...images, n }, shape, groups, window, sizes),
      );
    }
    const f = fg * groups;
    const outputPadding = (extra.length === 1 ? [0, ...extra] : extra) as unknown as Pair;
    const convolution: Convolution = {
      images: imagesOf(node, x),
      filters: constantInput(node, 1, "filters"),
      window,
      f,
      sizes,
      make: (options) => layers.conv2dTranspose({ ...options, filters: f, outputPadding }),
    };
    return [convolve(node, convolution, node.inputs[2] && constantInput(node, 2, "bias"))];
  },
};

/** Patches `[n, c · kernel, positions]` that are added up to images. */
const col2Im: Operator = {
  inputs: [3, 3],
  lower(node) {
    const x = required(node, 0);
    const [sizes, kernel] = [known(node, 1, "image_shape")!, known(node, 2, "block_shape")!];
    const window = slidingWindow(node, sizes, kernel);
    const [n, rows, positions] = x.shape as [number, number, number];
    const c = rows / sizeOf(kernel);
    if (x.shape.length !== 3 || !Number.isInteger(c) || positions !== sizeOf(window.sizes)) {
      throw new Unsupported(
        `expected [n, c × ${sizeOf(kernel)}, ${sizeOf(window.sizes)}], got ${x.shape.join("×")}`,
      );
    }
    const only = { ...node, inputs: [x] };
    return onHostByImage(only, n, (images) => foldPlan({ n: images, c, sizes }, window));
  },
};

/** The reverse of a maximum: each value at the place where it was, counted through all images. */
const maxUnpool: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { n, c, sizes } = checkImages(required(node, 0));
    const kernel = node.attributes.ints("kernel_shape") ?? [];
    const shape = [n, c, ...transposedWindow(node, sizes, kernel).sizes];
    const [unpooled] = onHost(
      { ...node, inputs: [required(node, 0), required(node, 1)] },
      {
        outputs: [{ type: "float32", shape }],
        run([x, places], [y]) {
          y!.fill(0);
          x!.forEach((value, i) => {
            y![places![i]!] = value;
          });
        },
      },
    );
    // A size that is asked for is one with zeros behind.
    let y = unpooled!;
    (known(node, 2, "output_shape") ?? []).forEach((size, axis) => {
      const from = shape[axis]!;
      y = along(node, y, axis, { from, places: range(size, (i) => (i < from ? i : -1)) });
    });
    return [y];
  },
};

export const TRANSPOSED: Readonly<Record<string, Operator>> = {
  Col2Im: col2Im,
  ConvTranspose: convTranspose,
  MaxUnpool: maxUnpool,
};
