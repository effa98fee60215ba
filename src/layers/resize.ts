import { onlyInput, type Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import type { AxisTable } from "./take.ts";
import { resizePass } from "./upSampling2d.ts";

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
  return layerOf({
    type: "resize",
    outputShape: (inputs, where) => [oh, ow, onlyInput(inputs, where)[2]!],
    build: (context) => resizePass(context, context.table(down), context.table(across)),
  });
}
