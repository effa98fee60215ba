/** Convolutions over more than two axes, and the adjoints of im2col and max pooling. They are computed on the host. */
import { ShapeError } from "../../../../errors.ts";
import { shapeText, sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import {
  checkSizes,
  checkType,
  known,
  onHost,
  onHostByImage,
  INDEX_TYPES,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import { along, perElement } from "../axisTable.ts";
import { convWindow } from "./common.ts";
import { transposedWindow, transposition } from "./transposed.ts";
import { checkImages } from "../window/images.ts";
import { slidingWindow } from "../window/window.ts";
import { convPlan, foldPlan, transposedPlan } from "./plans.ts";

const conv: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { images, filters, window } = convWindow(node);
    const groups = node.attributes.int("group", 1);
    return onHostByImage(node, images.n, (n) => convPlan({ ...images, n }, filters, groups, window));
  },
};

const convTranspose: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { images, filters, window, sizes } = transposition(node);
    const groups = node.attributes.int("group", 1);
    return onHostByImage(node, images.n, (n) =>
      transposedPlan({ ...images, n }, filters, groups, window, sizes),
    );
  },
};

/** Adds patches `[n, c · kernel, positions]` up to images. */
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
        `expected [n, c × ${sizeOf(kernel)}, ${sizeOf(window.sizes)}], got ${shapeText(x.shape)}`,
      );
    }
    const only = { ...node, inputs: [x] };
    return onHostByImage(only, n, (images) => foldPlan({ n: images, c, sizes }, window));
  },
};

/** The reverse of max pooling: puts each value at its index, which counts the elements of all images. */
const maxUnpool: Operator = {
  inputs: [2, 3],
  lower(node) {
    const { n, c, sizes } = checkImages(required(node, 0));
    const kernel = node.attributes.ints("kernel_shape") ?? [];
    const shape = [n, c, ...transposedWindow(node, sizes, kernel).sizes];
    const wanted = checkSizes(known(node, 2, "output_shape") ?? shape);
    const [values, indices] = [required(node, 0), required(node, 1)];
    checkType("indices", indices, INDEX_TYPES);
    const fits = indices.shape.join() === values.shape.join();
    if (!fits || wanted.length !== shape.length) {
      throw new Unsupported(
        `expected indices for ${shapeText(values.shape)} and ${shape.length} sizes, got ${shapeText(indices.shape)} and ${wanted.length}`,
      );
    }
    const [unpooled] = onHost(
      { ...node, inputs: [values, indices] },
      {
        outputs: [{ type: "float32", shape }],
        run([x, at], [y]) {
          y!.fill(0);
          x!.forEach((value, i) => {
            const index = at![i]!;
            if (!(index >= 0 && index < y!.length)) {
              throw new ShapeError(`${node.name}: expected indices into ${y!.length} elements, got ${index}`);
            }
            y![index] = value;
          });
        },
      },
    );
    // A larger output_shape adds zeros at the end, a smaller one cuts elements off.
    let y = unpooled!;
    wanted.forEach((size, axis) => {
      const from = shape[axis]!;
      y = along(node, y, axis, { from, indices: perElement(node, size, (i) => (i < from ? i : -1)) });
    });
    return [y];
  },
};

export function rareConvolutions(): OperatorTable {
  return {
    Col2Im: col2Im,
    Conv: conv,
    ConvTranspose: convTranspose,
    MaxUnpool: maxUnpool,
  };
}
