import { shapeText, sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import { checkSizes, constantInput, known, type Operator, type OperatorTable } from "../../operator.ts";
import { constantRoom } from "../../../file/constant.ts";

/** Most elements of a constant that is made of one number: weights of large nets are. */
const MOST = 2 ** 28;

/** The numbers are made where they are read, so that weights are not kept twice. */
const constantOfShape: Operator = {
  inputs: [1, 1],
  lower(node) {
    const sizes = constantInput(node, 0, "shape");
    const shape = checkSizes(known(node, 0, "shape")!);
    const size = sizeOf(shape);
    if (!(size <= MOST)) {
      throw new Unsupported(`expected at most ${MOST} elements, got ${shapeText(shape)}`);
    }
    const value = node.attributes.tensor("value");
    if (value && sizeOf(value.shape) !== 1) {
      throw new Unsupported(`value: expected one element, got ${sizeOf(value.shape)}`);
    }
    const type = value?.type ?? "float32";
    const number = value?.data()[0] ?? 0;
    const data = () => constantRoom(type, size).fill(number);
    const each = {
      type,
      shape: [1, ...shape.slice(1)],
      data: () => constantRoom(type, size / shape[0]!).fill(number),
    };
    return [{ type, shape, data, ...(sizes.ofShape && { ofShape: true, ...(size > 0 && { each }) }) }];
  },
};

export const GENERATED: OperatorTable = { ConstantOfShape: constantOfShape };
