import type { Window } from "../../../kernels/window.ts";
import { onlyInput, type Layer } from "../../../layers/contract.ts";
import { maxima, type Build } from "../../../layers/pooling2d.ts";
import { layerOf } from "../../../layers/symbolic.ts";

/** A window over the plane of an image, which may be dilated. */
export type PlaneWindow = Omit<Window, "h" | "w" | "c">;

/** Pooling by the kernels, in windows each of which holds a pixel of the image at least. */
export function poolLayer(build: Build, window: PlaneWindow): Layer {
  return layerOf({
    type: build === maxima ? "maxPooling2d" : "averagePooling2d",
    outputShape: (inputs, where) => [window.oh, window.ow, onlyInput(inputs, where)[2]!],
    build(context) {
      const [h, w, c] = onlyInput(context.inputs) as [number, number, number];
      return build(context, { ...window, h, w, c });
    },
  });
}
