/** Arrays with their axes in another order. */
import { copyFloats } from "../lib/copy";
import { LINE, endOf, firstOf } from "../lib/share";
import { LANES, highHalves4, loadLanes, lowHalves4, storeLanes, zipHigh4, zipLow4 } from "../lib/simd";

/** One axis of the output, and how far apart its elements lie in the input. The table has one a line, as two int32. @abi */
@unmanaged
class TransposeAxis {
  size: i32;
  stride: i32;
}

/**
 * `y[n, s₀, …, sᵣ₋₁]`, dense, from `x`: `y[i, j₀, …, jᵣ₋₁] = x[i·image + Σ jₐ·strideₐ]`, strides in floats.
 *
 * `axes` is a table of the `rank` ≥ 1 pairs of int32 `(size, stride)` of the axes of y. Any strides will do: 0 repeats,
 * a negative one reverses. It is fast where the last axis has stride 1 (rows are copied) and where another one has (planes
 * are transposed in blocks of 4×4); axes that stay neighbours should be one axis of the table. Exact; x and y do not
 * overlap. Threads share the longest axis.
 *
 * @split COPY * n * image
 */
export function transpose(rank: i32, axes: usize, n: i32, image: i32, x: usize, y: usize): void {
  const last = axes + ((<usize>(rank - 1)) << 3);
  let elements = 1;
  let longest: usize = 0;
  let length = n;
  let plane: usize = 0;
  for (let p = axes; p <= last; p += 8) {
    const axis = changetype<TransposeAxis>(p);
    elements *= axis.size;
    if (axis.size > length) {
      longest = p;
      length = axis.size;
    }
    if (axis.stride == 1) plane = p;
  }
  const first = firstOf(longest == 0, n);
  const end = endOf(longest == 0, n);
  for (let i = first; i < end; i++) {
    const from = x + ((<usize>(<isize>i * <isize>image)) << 2);
    walk(axes, last, longest, plane, 0, 0, elements, from, y + ((<usize>i * <usize>elements) << 2));
  }
}

/**
 * The axes from `p` to `last`, of `elements` elements of y. `columns` elements of the axis `plane`, which is 1 apart in x
 * and `step` in y, are left to the last axis.
 */
function walk(
  p: usize,
  last: usize,
  longest: usize,
  plane: usize,
  columns: i32,
  step: i32,
  elements: i32,
  x: usize,
  y: usize,
): void {
  const axis = changetype<TransposeAxis>(p);
  const first = firstOf(p == longest, axis.size, LINE);
  const own = endOf(p == longest, axis.size, LINE) - first;
  // More threads than lines. Below, no columns mean that no plane was met.
  if (own == 0) return;
  const inner = elements / axis.size;
  const stride = <usize>((<isize>axis.stride) << 2);
  x += <usize>first * stride;
  y += (<usize>first * <usize>inner) << 2;
  if (p == last) {
    if (columns > 0) transposePlane(own, stride, columns, (<usize>step) << 2, x, y);
    else if (axis.stride == 1) copyFloats(y, x, own);
    else gather(own, stride, x, y);
  } else if (p == plane) {
    walk(p + 8, last, longest, plane, own, inner, inner, x, y);
  } else {
    for (let i = own; i > 0; i--) {
      walk(p + 8, last, longest, plane, columns, step, inner, x, y);
      x += stride;
      y += (<usize>inner) << 2;
    }
  }
}

/** `y[j] = x[j·stride]`. */
function gather(n: i32, stride: usize, x: usize, y: usize): void {
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(x));
    x += stride;
    y += 4;
  }
}

/**
 * `y[columns, rows] = x[rows, columns]ᵀ`, rows `xRow` and `yRow` bytes apart. In strips of a cache line of y: the lines of
 * x that its rows lie on are read to their ends before the next.
 */
function transposePlane(rows: i32, xRow: usize, columns: i32, yRow: usize, x: usize, y: usize): void {
  for (let j = 0; j < rows; j += LINE) {
    const height = min(LINE, rows - j);
    for (let i = 0; i < columns; i += LANES) {
      const width = min(LANES, columns - i);
      let from = x + ((<usize>i) << 2);
      let to = y + <usize>i * yRow;
      for (let k = height; k > 0; k -= LANES) {
        if (k >= LANES && width == LANES) transposeTile(LANES, LANES, xRow, yRow, from, to);
        else transposeEdge(min(LANES, k), width, xRow, yRow, from, to);
        from += xRow << 2;
        to += 16;
      }
    }
    x += <usize>LINE * xRow;
    y += (<usize>LINE) << 2;
  }
}

/** The tile at an edge. */
function transposeEdge(rows: i32, columns: i32, xRow: usize, yRow: usize, x: usize, y: usize): void {
  transposeTile(rows, columns, xRow, yRow, x, y);
}

/** Up to 4×4 floats; constant counts fold. */
// @ts-ignore: decorator
@inline
function transposeTile(rows: i32, columns: i32, xRow: usize, yRow: usize, x: usize, y: usize): void {
  const x0 = loadLanes(x, columns);
  const x1 = rows > 1 ? loadLanes(x + xRow, columns) : x0;
  const x2 = rows > 2 ? loadLanes(x + 2 * xRow, columns) : x0;
  const x3 = rows > 3 ? loadLanes(x + 3 * xRow, columns) : x0;
  const top = zipLow4(x0, x1);
  const bottom = zipLow4(x2, x3);
  storeLanes(y, lowHalves4(top, bottom), rows);
  if (columns > 1) storeLanes(y + yRow, highHalves4(top, bottom), rows);
  if (columns <= 2) return;
  const top2 = zipHigh4(x0, x1);
  const bottom2 = zipHigh4(x2, x3);
  storeLanes(y + 2 * yRow, lowHalves4(top2, bottom2), rows);
  if (columns > 3) storeLanes(y + 3 * yRow, highHalves4(top2, bottom2), rows);
}
