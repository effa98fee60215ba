/** Writes products, and what else broadcasts its operands. */
import type { Activation } from "../../kernels/activation.ts";
import type { BroadcastKind } from "../../layers/broadcast.ts";
import { CONSTANT } from "../../layers/constant.ts";
import { operandsOf, padded, type OperandOptions } from "../../layers/operands.ts";
import type { Shape, Tensor } from "../../tensor.ts";
import { DATA_TYPE } from "../file/proto.ts";
import { reorder } from "../file/reorder.ts";
import { activate } from "./activate.ts";
import { operatorOf, type Site } from "./file.ts";
import { channelsLast, inFileOrder, inPackageOrder, reshaped, toFileOrder } from "./layout.ts";

const transposed = ({ shape, data }: Tensor): Tensor => ({
  shape: shape.toReversed(),
  data: reorder(data, shape, [1, 0]),
});

export function dense(site: Site): string {
  const isRow = site.shape.length === 1;
  // Files of PyTorch's have the matrix [out, in], and keep it.
  const isTurned = isRow && site.origin("kernel")?.order[0] === 1;
  const kernel = site.weight("kernel", isTurned ? transposed : undefined);
  const bias = site.weight("bias");
  const product = (x: string): string => {
    if (isRow) return site.op("Gemm", [x, kernel, bias], isTurned ? { transB: 1 } : {});
    const y = site.op("MatMul", [x, kernel]);
    return bias ? site.op("Add", [y, bias]) : y;
  };
  const y = channelsLast(site, site.x, product);
  return activate(site, y, site.config<{ activation: Activation }>().activation);
}

/** Arranges one operand, whose input has the shape `from`. */
type Arrange = (site: Site, x: string, from: Shape, to: Shape, name: string) => string;

/** The operands of a layer of two: the weight if one of them is constant, the inputs under the operands' shapes. */
function operandsIn(site: Site, arrange: Arrange, weight: () => string): string[] {
  const options = site.config<OperandOptions>();
  const inputs = site.xs.map((x, i) => ({ x, shape: site.shapes[i]! })).values();
  return operandsOf(site.name, options, site.shapes).map((shape, side) => {
    if (side === options.constant) return weight();
    const input = inputs.next().value!;
    return arrange(site, input.x, input.shape, shape, `shape_${side}`);
  });
}

export function broadcast(site: Site): string {
  const operands = operandsIn(site, reshaped, () => site.weight(CONSTANT, inFileOrder));
  return site.op(operatorOf(site.config<{ kind: BroadcastKind }>().kind), operands);
}

/** ONNX multiplies the last two axes, which are the package's. */
export function matMul(site: Site): string {
  const operands = operandsIn(site, inPackageOrder, () => site.weight(CONSTANT));
  return toFileOrder(site, site.op("MatMul", operands), site.outputShape);
}

/** True where the bits of a condition are not those of 0, as for the package: of floats −0 is not 0. */
function condition(site: Site, c: string): string {
  const isNot0 = site.op("Cast", [c], { to: DATA_TYPE.bool });
  if (site.types[0] !== "float32") return isNot0;
  const isBelow = site.op("Less", [site.op("Reciprocal", [c]), site.scalar(0)]);
  return site.op("Or", [isNot0, isBelow]);
}

export function where(site: Site): string {
  const [c, a, b] = padded(site.shapes).map((shape, i) =>
    reshaped(site, site.xs[i]!, site.shapes[i]!, shape, `shape_${i}`),
  ) as [string, string, string];
  return site.op("Where", [condition(site, c), a, b]);
}
