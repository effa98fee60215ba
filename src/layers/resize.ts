import { OptionError } from "../errors.ts";
import { checkOptions, isPlainObject, show } from "../options.ts";
import { imageOf } from "../kernels/window.ts";
import { onlyInput, type Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { checkTable, tableFor, type AxisTable, type TakeLayerOptions } from "./take.ts";
import { resizePass } from "./upSampling2d.ts";

/** By new row, or column: the one or two old ones that it is the mean of. */
export type ResizeTable = Pick<TakeLayerOptions, "indices" | "blends">;

export interface ResizeLayerOptions {
  rows: ResizeTable;
  columns: ResizeTable;
  name?: string;
}

type Table = Omit<AxisTable, "from">;

/** True when each element comes from one or two others, as the kernel for images requires. */
export function isResize({ indices, blends }: Table): boolean {
  return indices.every((index, i) => index >= 0 && (blends?.[i]?.length ?? 1) <= 2);
}

/** The table in the format that `assembly/movement/resize.ts` reads. */
function sourcesOf({ indices, blends }: Table): Int32Array {
  const sources = new Int32Array(4 * indices.length);
  const weights = new Float32Array(sources.buffer);
  for (const [i, index] of indices.entries()) {
    const [first, second = [index, 0]] = blends?.[i] ?? [[index, 1]];
    sources.set([first![0], second[0]], 4 * i);
    weights.set([first![1], second[1]], 4 * i + 2);
  }
  return sources;
}

function checkRows(where: string, table: ResizeTable): Table {
  if (!isPlainObject(table))
    throw new OptionError(`${where}: expected { indices, blends }, got ${show(table)}`);
  checkOptions(where, table, ["indices", "blends"]);
  const own = checkTable(where, table);
  if (isResize(own) && !own.blends?.some((blend) => blend.length === 0)) return own;
  throw new OptionError(`${where}: expected elements of one or two others each, got ${show(table)}`);
}

/**
 * Resizes images, `[h, w, c]` → `[rows, columns, c]`: each new row and column is the weighted mean of one or two old ones.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function resize(options: ResizeLayerOptions): Layer {
  checkOptions("resize", options, ["rows", "columns", "name"]);
  const rows = checkRows("resize: rows", options.rows);
  const columns = checkRows("resize: columns", options.columns);
  const configOf = ({ indices, blends }: Table): ResizeTable => ({ indices, ...(blends && { blends }) });
  return layerOf({
    type: "resize",
    name: options.name,
    config: { rows: configOf(rows), columns: configOf(columns) },
    outputShape(inputs, where) {
      const [h, w, c] = imageOf(where, onlyInput(inputs, where));
      tableFor(`${where}: rows`, rows, h);
      tableFor(`${where}: columns`, columns, w);
      return [rows.indices.length, columns.indices.length, c];
    },
    build: (context) =>
      resizePass(context, context.table(sourcesOf(rows)), context.table(sourcesOf(columns))),
  });
}
