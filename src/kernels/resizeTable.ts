/**
 * The table of the rows, or columns, of a resized image, which `assembly/movement/resize.ts` reads. Output `i` has the position
 * `positionOf(i)` among the `inputs` rows, whose centres are 0, 1, 2 …: between two rows it is their mean, weighted by
 * distance; beyond the ends it is the last row.
 */
export function resizeTable(inputs: number, outputs: number, positionOf: (i: number) => number): Int32Array {
  const table = new Int32Array(4 * outputs);
  const weights = new Float32Array(table.buffer);
  for (let i = 0; i < outputs; i++) {
    const position = Math.min(Math.max(positionOf(i), 0), inputs - 1);
    const a = Math.floor(position);
    const share = position - a;
    table.set([a, share > 0 ? a + 1 : a], 4 * i);
    weights.set([1 - share, share], 4 * i + 2);
  }
  return table;
}
