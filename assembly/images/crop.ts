/** Rectangles cut out of images of numbers of any type. */

/**
 * Copies `rows` rows of `bytes` bytes from each of `n` images at `x`, whose images are `xImage` and whose rows are `xRow`
 * bytes apart, to `y`, where they follow each other.
 */
export function cropBytes(n: i32, rows: i32, bytes: i32, x: usize, xImage: i32, xRow: i32, y: usize): void {
  for (let image = 0; image < n; image++, x += <usize>xImage) {
    let from = x;
    for (let row = 0; row < rows; row++, from += <usize>xRow, y += <usize>bytes) {
      memory.copy(y, from, <usize>bytes);
    }
  }
}
