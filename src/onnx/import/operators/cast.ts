import * as layers from "../../../layers/index.ts";
import { Unsupported } from "../node.ts";
import { required, type Node, type Operator, type OperatorTable } from "../operator.ts";
import { dataTypeName, elementTypeOf } from "../../file/tensorData.ts";
import type { ElementType } from "../../file/constant.ts";
import { isComputed, isConstant, type Value } from "../values.ts";
import { IMAGES } from "../images.ts";
import { eachOnHost } from "./broadcasting.ts";

/** Converts a value to another type: float32 is rounded towards 0 for integers, and any number but 0 is true. */
export function cast(node: Node, value: Value, type: ElementType): Value {
  if (value.type === type) return value;
  if (value.type === "uint8" && isComputed(value)) {
    const { shape, order } = value;
    const floats = node.builder.apply(
      layers.rescaling({ scale: 1 }),
      [value],
      { type: "float32", shape },
      order,
    );
    return cast(node, floats, type);
  }
  const whole = value.type !== "float32" && type !== "float32" && type !== "bool";
  // In memory integers and booleans are the same, and so are constants of 64 bits that fit 32.
  if (whole && (!isConstant(value) || type === "int64")) return { ...value, type };
  const stays = (y: number, x: number): boolean => y === x;
  if (type === "bool")
    return eachOnHost(
      node,
      [value],
      type,
      (x) => Number(x !== 0),
      (_, x) => x === IMAGES,
    );
  if (value.type !== "float32" && type === "int32") {
    const { isSymbolic } = node.builder;
    return eachOnHost(node, [value], type, (x) => (isSymbolic && x === IMAGES ? x : x! | 0), stays);
  }
  return eachOnHost(node, [value], type, type === "float32" ? (x) => x! : Math.trunc, stays);
}

const castTo: Operator = {
  inputs: [1, 1],
  lower(node) {
    const { attributes } = node;
    // These attributes concern the rounding of 8-bit types, which are not supported.
    attributes.ignore("saturate", "round_mode");
    const to = attributes.requiredInt("to");
    const type = elementTypeOf(to);
    if (!type) throw new Unsupported(`to: expected a type that is computed here, got ${dataTypeName(to)}`);
    return [cast(node, required(node, 0), type)];
  },
};

const castLike: Operator = {
  inputs: [2, 2],
  lower(node) {
    node.attributes.ignore("saturate", "round_mode");
    return [cast(node, required(node, 0), required(node, 1).type)];
  },
};

export function casts(): OperatorTable {
  return { Cast: castTo, CastLike: castLike };
}
