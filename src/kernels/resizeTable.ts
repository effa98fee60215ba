/**
 * The table of where the `outputs` rows (or columns) of a resized image come from, for `assembly/movement/resize.ts`: output `i`
 * lies at the place `at(i)` among `inputs` rows, whose centres are 0, 1, 2 …; between two it is their mean by distance,
 * beyond the ends it is the last.
 */
export function resizeTable(inputs: number, outputs: number, at: (i: number) => number): Int32Array {
  const table = new Int32Array(4 * outputs);
  const weights = new Float32Array(table.buffer);
  for (let i = 0; i < outputs; i++) {
    const place = Math.min(Math.max(at(i), 0), inputs - 1);
    const a = Math.floor(place);
    const share = place - a;
    table.set([a, share > 0 ? a + 1 : a], 4 * i);
    weights.set([1 - share, share], 4 * i + 2);
  }
  return table;
}
