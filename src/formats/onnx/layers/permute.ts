import type { Layer } from "../../../layers/layer.ts";
import { defineLayer } from "../../../layers/symbolic.ts";
import { sizeOf } from "../../../tensor.ts";
import { reorder } from "../weights.ts";
export function permute(dims: number[]): Layer {
  return defineLayer({
    type: "permute",
    config: { dims },
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: ([x]) => dims.map((d) => x![d - 1]!),
    weights: () => [],
    build({ heap, x, y, inputs }) {
      const shape = inputs[0]!;
      const size = sizeOf(shape);
      return {
        forward(n) {
          for (let i = 0; i < n; i++) {
            const at = (x.pointer >>> 2) + i * size;
            // ints survive as bits? not for NaN payloads; temporary
            heap.floats.set(
              reorder(
                heap.floats.subarray(at, at + size),
                shape,
                dims.map((d) => d - 1),
              ),
              (y.pointer >>> 2) + i * size,
            );
          }
        },
      };
    },
  });
}
