import { ShapeError } from "../../../errors.ts";
import type { Heap } from "../../../runtime/heap.ts";
import type { Buffer } from "../../../layers/buffer.ts";
import type { Layer } from "../../../layers/contract.ts";
import { layerOf } from "../../../layers/symbolic.ts";
import { sizeOf, type Shape } from "../../../tensor.ts";
import { dtypeOf, type Numbers, type TensorType } from "../../file/constant.ts";
import { isComputed, isConstant, type Computed, type Value } from "../values.ts";

/**
 * What an operator computes, in TypeScript, for given types of its inputs: sums and products in float64 or float32 in one
 * order, and no function of the host that rounds differently elsewhere. For what nets seldom use, and for shapes.
 */
export interface HostPlan {
  readonly outputs: readonly TensorType[];
  /** Steps of a run, where they are more than elements. */
  readonly work?: number;
  /** Whether each element of the outputs is one of the first input, or of several: nothing is computed. */
  readonly moves?: boolean;
  /** Fills in `ys` from `xs`, all in the order of the file; an optional input that is left out is undefined. */
  run(xs: readonly (Numbers | undefined)[], ys: readonly Numbers[]): void;
}

/**
 * The layer for one of the plan's outputs. `seen` is the shape that the graph has for it. A plan for one image of a batch
 * of `images` goes over any number of them.
 */
export function hostLayer(
  type: string,
  plan: HostPlan,
  inputs: readonly (Value | undefined)[],
  output: number,
  seen: Shape,
  images: number,
): Layer {
  return layerOf({
    type: `onnx.${type}`,
    differentiable: false,
    // Results that are no real numbers have no slope: comparisons, indices, integers.
    stopsGradient: plan.outputs[output]!.type !== "float32",
    outputShape: () => seen,
    outputType: () => dtypeOf(plan.outputs[output]!.type),
    build({ heap, name, xs, y, spend }) {
      for (const value of [...inputs.filter((each) => each && isConstant(each)), ...plan.outputs]) {
        spend(8 * sizeOf(value!.shape));
      }
      const constants = inputs.map((value) => (value && isConstant(value) ? value.data() : undefined));
      const computed = inputs.filter(isComputed);
      const buffers = new Map(computed.map((value, i) => [value, xs[i]!]));
      const others = plan.outputs.map((each) => roomFor(each));
      return {
        forward(n) {
          for (let image = 0; image < n; image++) {
            const given = inputs.map((value, i) => {
              if (!value || isConstant(value)) return constants[i];
              return viewOf(heap, buffers.get(value)!, value, sizeOf(value.shape) / images, image);
            });
            plan.run(given, others);
            store(heap, y, plan.outputs[output]!, others[output]!, image, name);
          }
        },
      };
    },
  });
}

function roomFor({ type, shape }: TensorType): Numbers {
  return type === "float32" ? new Float32Array(sizeOf(shape)) : new Float64Array(sizeOf(shape));
}

function viewOf(heap: Heap, { pointer }: Buffer, { type }: Computed, size: number, image: number): Numbers {
  const memory = type === "float32" ? heap.floats : heap.ints;
  const start = (pointer >>> 2) + image * size;
  return memory.subarray(start, start + size);
}

/** Puts an image's results into memory. @throws ShapeError when an integer does not fit 32 bits */
function store(
  heap: Heap,
  { pointer }: Buffer,
  { type }: TensorType,
  data: Numbers,
  image: number,
  name: string,
): void {
  const start = (pointer >>> 2) + image * data.length;
  if (type === "float32") {
    heap.floats.set(data, start);
    return;
  }
  const wide = data.find((value) => value !== (value | 0));
  if (wide !== undefined) {
    throw new ShapeError(`${name}: expected integers of 32 bits, got ${wide}`);
  }
  heap.ints.set(data, start);
}
