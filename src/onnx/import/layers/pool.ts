import type { Window } from "../../../kernels/window.ts";
import { onlyInput, type Layer } from "../../../layers/layer.ts";
import type { Build } from "../../../layers/pooling2d.ts";
import { defineLayer } from "../../../layers/symbolic.ts";

/** A window over the plane of an image, which may be dilated. */
export type PlaneWindow = Omit<Window, "h" | "w" | "c">;

/** Pooling by the kernels, in windows each of which holds a pixel of the image at least. */
export function poolLayer(type: string, build: Build, window: PlaneWindow): Layer {
  return defineLayer({
    type: `onnx.${type}`,
    config: {},
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: (inputs, where) => [window.oh, window.ow, onlyInput(inputs, where)[2]!],
    weights: () => [],
    build(context) {
      const [h, w, c] = onlyInput(context.inputs) as [number, number, number];
      return build(context, { ...window, h, w, c });
    },
  });
}
