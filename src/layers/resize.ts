import { onlyInput, type Layer } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";
import type { AxisTable } from "./take.ts";

/** The table as `assembly/movement/resize.ts` reads it; undefined when an element comes from none or from more than two others. */
function sourcesOf({ places, blends }: AxisTable): Int32Array | undefined {
  const sources = new Int32Array(4 * places.length);
  const weights = new Float32Array(sources.buffer);
  for (const [i, place] of places.entries()) {
    const [first, second = [place, 0], more] = blends?.[i] ?? [[place, 1]];
    if (place < 0 || more) return undefined;
    sources.set([first![0], second[0]], 4 * i);
    weights.set([first![1], second[1]], 4 * i + 2);
  }
  return sources;
}

/** Images `[h, w, c]` of other rows and columns, by the kernel; undefined when it does not do what the tables say. */
export function resizeLayer(rows: AxisTable, columns: AxisTable): Layer | undefined {
  const [down, across] = [sourcesOf(rows), sourcesOf(columns)];
  if (!down || !across) return undefined;
  const [oh, ow] = [rows.places.length, columns.places.length];
  return defineLayer({
    type: "onnx.Resize",
    config: {},
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: (inputs, where) => [oh, ow, onlyInput(inputs, where)[2]!],
    weights: () => [],
    build({ kernels, inputs, table, x, y, dx, dy }) {
      const [h, w, c] = onlyInput(inputs) as [number, number, number];
      const [a, b] = [table(down), table(across)];
      const forward = (n: number): void =>
        kernels.resizeForward(a, b, n, h, w, c, oh, ow, x.pointer, y.pointer);
      if (!dx) return { forward };
      return {
        forward,
        backward: (n) => kernels.resizeBackward(a, b, n, h, w, c, oh, ow, dy.pointer, dx.pointer),
      };
    },
  });
}
