import { OptionError } from "../errors.ts";
import { readOptions, show } from "../options.ts";
import { imageOf } from "../kernels/window.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { expectFits, tableReaders, tapsAt, type TableOptions } from "./take.ts";
import { resizePass } from "./upSampling2d.ts";

/** By new row, or column: the one or two old ones that it is the mean of. */
export type ResizeTable = TableOptions;

export interface ResizeLayerOptions {
  rows: ResizeTable;
  columns: ResizeTable;
  name?: string | undefined;
}

/** True when each element comes from one or two others, as the kernel for images requires. */
export function isResize(table: ResizeTable): boolean {
  return table.indices.every((_, i) => [1, 2].includes(tapsAt(table, i).length));
}

/** The table in the format that `assembly/movement/resize.ts` reads. */
function sourcesOf(table: ResizeTable): Int32Array {
  const sources = new Int32Array(4 * table.indices.length);
  const weights = new Float32Array(sources.buffer);
  for (const i of table.indices.keys()) {
    const [first, second = [first![0], 0]] = tapsAt(table, i);
    sources.set([first![0], second[0]], 4 * i);
    weights.set([first![1], second[1]], 4 * i + 2);
  }
  return sources;
}

function readTable(where: string, value: ResizeTable): ResizeTable {
  const table = readOptions(where, value, tableReaders(value), []);
  if (isResize(table)) return table;
  throw new OptionError(`${where}: expected elements of one or two others each, got ${show(table)}`);
}

/**
 * Resizes images, `[h, w, c]` → `[rows, columns, c]`: each new row and column is the weighted mean of one or two old ones.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function resize(options: ResizeLayerOptions): Layer {
  const config = readOptions("resize", options, { rows: readTable, columns: readTable });
  const { rows, columns } = config;
  return layerOf({
    type: "resize",
    name: options.name,
    config,
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      expectFits(`${where}: rows`, rows, h);
      expectFits(`${where}: columns`, columns, w);
      return [rows.indices.length, columns.indices.length, c];
    },
    build: (context) =>
      resizePass(context, context.table(sourcesOf(rows)), context.table(sourcesOf(columns))),
  });
}
