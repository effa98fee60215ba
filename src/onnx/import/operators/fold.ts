import type { Layer } from "../../../layers/contract.ts";
import { input } from "../../../layers/symbolic.ts";
import { model } from "../../../model/functional.ts";
import { sizeOf } from "../../../tensor.ts";
import { constantOf, type Node } from "../operator.ts";
import type { Constant } from "../../file/constant.ts";

/**
 * Applies an elementwise layer to a float32 constant. The kernels compute it, because the host's functions round differently
 * from one JavaScript engine to another. @throws FormatError, MemoryError
 */
export function fold({ builder }: Node, layer: Layer, constant: Constant): Constant {
  const { type, shape } = constant;
  const size = sizeOf(shape);
  builder.spend(2 * size);
  builder.checkKnown(constant);
  builder.fix([constant]);
  if (size === 0) return constant;
  const x = input({ shape: [size], name: "x" });
  const net = model({ inputs: x, outputs: layer.apply(x) });
  try {
    net.compile({ engine: builder.engine });
    const y = net.predict({ shape: [1, size], data: constant.data() as Float32Array });
    return constantOf(type, shape, y.data, constant.ofShape);
  } finally {
    net.dispose();
  }
}
