import { shapeText, sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import {
  checkSizes,
  constantInput,
  filledWith,
  known,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";

/** The most elements of a constant that is filled with one number, as many as weights of large nets may have. */
const MOST = 2 ** 28;

const constantOfShape: Operator = {
  inputs: [1, 1],
  lower(node) {
    const sizes = constantInput(node, 0, "shape");
    const { builder } = node;
    const shape = checkSizes(known(node, 0, "shape", undefined, true)!, builder);
    if (!(sizeOf(builder.ofOneImage(shape)) <= MOST)) {
      throw new Unsupported(`expected at most ${MOST} elements, got ${shapeText(shape)}`);
    }
    const value = node.attributes.tensor("value");
    if (value && sizeOf(value.shape) !== 1) {
      throw new Unsupported(`value: expected one element, got ${sizeOf(value.shape)}`);
    }
    const type = value?.type ?? "float32";
    const number = value?.data()[0] ?? 0;
    return [filledWith(builder, type, shape, number, sizes.ofShape ?? false)];
  },
};

export function commonGenerators(): OperatorTable {
  return { ConstantOfShape: constantOfShape };
}
