/** Operators that add up what windows over their output get: the adjoints of convolutions and pooling. */
import { sizeOf } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import { known, onHost, onHostByImage, required, type Node, type Operator } from "../operator.ts";
import { along, range } from "./along.ts";
import { checkFilters } from "./convolution.ts";
import { foldPlan, transposedPlan } from "./convolutionPlans.ts";
import { checkImages } from "./images.ts";
import { AUTO_PADS, sharedPadding, slidingWindow, type Pair, type SlidingWindow } from "./window.ts";

/**
 * The window of a transposed convolution, which slides over its output: as many positions as the input has pixels.
 * `output_shape` tells how much padding is cut off; else the padding and `output_padding` tell the size.
 */
function transposedWindow(
  { attributes }: Node,
  inputs: readonly number[],
  kernel: readonly number[],
): { window: SlidingWindow; sizes: number[] } {
  const rank = inputs.length;
  const list = (name: string, absent: number): readonly number[] =>
    attributes.ints(name) ?? inputs.map(() => absent);
  const [strides, dilations] = [list("strides", 1), list("dilations", 1)];
  const [extra, auto] = [list("output_padding", 0), attributes.choice("auto_pad", AUTO_PADS)];
  const written = attributes.ints("pads") ?? range(2 * rank, () => 0);
  const same = auto.startsWith("SAME");
  // Some files give all sizes.
  const wanted =
    attributes.ints("output_shape")?.slice(-rank) ??
    (same ? inputs.map((size, i) => size * strides[i]!) : undefined);
  if (
    [strides, dilations, extra, kernel, wanted ?? inputs].some(({ length }) => length !== rank) ||
    written.length !== 2 * rank
  ) {
    throw new Unsupported(`expected lists for ${rank} dimensions, got others`);
  }
  const whole = inputs.map(
    (size, i) => (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 + extra[i]!,
  );
  const pads = whole.map((size, i): Pair => {
    if (!wanted) return auto === "VALID" ? [0, 0] : [written[i]!, written[rank + i]!];
    return sharedPadding(size - wanted[i]!, auto);
  });
  const sizes = wanted ?? whole.map((size, i) => size - pads[i]![0] - pads[i]![1]);
  return { window: { kernel, strides, dilations, pads, sizes: inputs }, sizes: [...sizes] };
}

const convTranspose: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { attributes } = node;
    const images = checkImages(required(node, 0));
    const { shape } = required(node, 1);
    const kernel = attributes.ints("kernel_shape") ?? shape.slice(2);
    const { window, sizes } = transposedWindow(node, images.sizes, kernel);
    const groups = attributes.int("group", 1);
    const [c, fg] = shape as [number, number];
    // As the filters of the convolution whose input gradient it is.
    checkFilters({ ...images, c: fg * groups }, shape, groups, window);
    if (c !== images.c) throw new Unsupported(`expected filters for ${images.c} channels, got ${c}`);
    return onHostByImage(node, images.n, (n) =>
      transposedPlan({ ...images, n }, shape, groups, window, sizes),
    );
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
