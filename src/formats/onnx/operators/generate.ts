/** Operators whose numbers follow from shapes and other constants. */
import { sizeOf } from "../../../tensor.ts";
import { Unsupported } from "../node.ts";
import { constantInput, constantOf, known, onHost, required, type Operator } from "../operator.ts";
import { constantRoom, type Numbers } from "../values.ts";
import { range } from "./along.ts";

/** Most elements of a constant that is made of one number: weights of large nets are. */
const MOST = 2 ** 28;

/** The numbers are made where they are read, so that weights are not kept twice. */
const constantOfShape: Operator = {
  inputs: [1, 1],
  lower(node) {
    const sizes = constantInput(node, 0, "shape");
    const shape = Array.from(sizes.data());
    const size = sizeOf(shape);
    if (!(size <= MOST) || shape.some((each) => each < 0)) {
      throw new Unsupported(`expected sizes ≥ 0 and at most ${MOST} elements, got ${shape.join("×")}`);
    }
    const value = node.attributes.tensor("value");
    const type = value?.type ?? "float32";
    const number = value?.data()[0] ?? 0;
    const data = () => constantRoom(type, size).fill(number);
    return [{ type, shape, data, ofShape: sizes.ofShape ?? false }];
  },
};

const sizeOperator: Operator = {
  inputs: [1, 1],
  lower: (node) => [constantOf("int64", [], Float64Array.of(sizeOf(required(node, 0).shape)), true)],
};

const rangeOperator: Operator = {
  inputs: [3, 3],
  lower(node) {
    const [start, limit, delta] = range(3, (i) => known(node, i, "bounds")![0]!) as [number, number, number];
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (!Number.isFinite(count)) {
      throw new Unsupported(`expected a step towards the limit, got ${start}, ${limit} and ${delta}`);
    }
    const outputs = [{ type: required(node, 0).type, shape: [count] }];
    const run = (_: unknown, [y]: readonly Numbers[]): void => {
      for (let i = 0; i < count; i++) y![i] = start + i * delta;
    };
    return onHost(node, { outputs, run });
  },
};

export const GENERATED: Readonly<Record<string, Operator>> = {
  ConstantOfShape: constantOfShape,
  Range: rangeOperator,
  Size: sizeOperator,
};
