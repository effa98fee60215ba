/**
 * 2-D convolution and its gradients as matrix products over implicitly unfolded patches.
 *
 *   forward           Y  = R·W + b          R = im2row(x)      [m, kh·kw·cg] · [kh·kw·cg, fg]
 *   filter gradient   dW = Rᵀ·dY            reduced over the m = n·oh·ow output pixels
 *   input gradient    dx = col2im(dY·Wᵀ)    or, flipped, one more correlation (see conv2dBackpropInputFlipped)
 *
 * per group of cg = c/groups input and fg = f/groups output channels. `R` exists only as a block of at most `BLOCK`
 * floats. Layouts: images NHWC, filters `[kh, kw, cg, f]`. Orders are those of the products: one running float32 sum per
 * output, k ascending, untouched by blocks, batch size or groups.
 */
import { activationForward } from "./activation";
import { blockFloats, correlate, EDGE, EDGE_SPACE, isPointwise } from "./correlate";
import { BLOCK, blockRows, gemmBlock, KC } from "./gemm/gemm";
import { MR, NR } from "./gemm/micro";
import { packPanels, packPanelsTransposed, paddedColumns, PANEL_ROW } from "./gemm/pack";
import { col2imBlock, im2rowBlock } from "./im2row";
import { add4, load4, store4, zero4 } from "./simd";
import { Window } from "./window";

/** Floats of workspace for `conv2dForward` of `f` filters in `groups` groups. */
export function conv2dForwardWorkspace(window: Window, f: i32, groups: i32): i32 {
  const k = window.kh * window.kw * (window.c / groups);
  return EDGE + k * paddedColumns(f / groups) + blockFloats(k);
}

/**
 * `y[n, oh, ow, f] = act(conv2d(x[n, h, w, c], w[kh, kw, c/groups, f]) + b[f])`; `b` is 0 for none.
 *
 * Order: each output is one running float32 sum over (ky, kx, channel) ascending, padding included as zeros, then the
 * bias, then the activation. Error: γ_{k+1}·(|R|·|W| + |b|), k = kh·kw·c/groups.
 */
export function conv2dForward(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  x: usize,
  w: usize,
  b: usize,
  y: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const k = window.kh * window.kw * cg;
  const panels = workspace + EDGE_SPACE;
  const block = panels + ((<usize>(k * paddedColumns(fg))) << 2);
  const row = (<usize>f) << 2;
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    packPanels(k, fg, w + first, row, panels, PANEL_ROW * k);
    const bias = b ? b + first : 0;
    const xg = x + ((<usize>(g * cg)) << 2);
    correlate(window, 1, 1, n, cg, xg, fg, panels, y + first, row, bias, activation == 1, workspace, block);
  }
  if (activation > 1) activationForward(activation, alpha, y, y, n * window.oh * window.ow * f);
}

/** Floats of workspace for `conv2dBackpropFilter`. */
export function conv2dBackpropFilterWorkspace(window: Window, n: i32, f: i32, groups: i32): i32 {
  const pixels = min(KC, n * window.oh * window.ow);
  return EDGE + pixels * paddedColumns(f / groups) + blockFloats(pixels);
}

/**
 * `dw[kh, kw, c/groups, f] = im2row(x)ᵀ · dy`.
 *
 * Order: one running float32 sum over the output pixels (image, oy, ox) ascending. Error: γ_m·(|R|ᵀ·|dY|).
 */
export function conv2dBackpropFilter(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  x: usize,
  dy: usize,
  dw: usize,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const m = n * window.oh * window.ow;
  const k = window.kh * window.kw * cg;
  const row = (<usize>f) << 2;
  const panels = workspace + EDGE_SPACE;
  const block = panels + ((<usize>(min(KC, m) * paddedColumns(fg))) << 2);
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    const xg = x + ((<usize>(g * cg)) << 2);
    for (let pc = 0; pc < m; pc += KC) {
      const kc = min(KC, m - pc);
      const panelStride = PANEL_ROW * kc;
      packPanels(kc, fg, dy + pc * row + first, row, panels, panelStride);
      const mc = blockRows(kc);
      for (let ic = 0; ic < k; ic += mc) {
        const columns = min(mc, k - ic);
        const blockRow = (<usize>columns) << 2;
        im2rowBlock(window, cg, xg, pc, kc, ic, columns, block, blockRow);
        const bLast = panels + (fg / NR) * panelStride;
        const c = dw + ic * row + first;
        gemmBlock(
          columns,
          fg,
          kc,
          block,
          4,
          blockRow,
          panels,
          PANEL_ROW,
          panelStride,
          bLast,
          c,
          row,
          pc == 0,
          0,
          false,
          workspace,
        );
      }
    }
  }
}

/** Floats of workspace for `conv2dBackpropInputCol2im`. */
export function conv2dBackpropInputCol2imWorkspace(window: Window, f: i32, groups: i32): i32 {
  const k = window.kh * window.kw * (window.c / groups);
  return EDGE + (f / groups) * paddedColumns(k) + max(BLOCK, MR * k);
}

/**
 * `dx[n, h, w, c] = col2im(dy · wᵀ)`, in blocks of output pixels: the matrix of patch gradients is never whole.
 *
 * Order: each patch gradient is one running sum over the filters ascending; each pixel adds its patches' in ascending
 * order of output pixels. Error: γ_{fg + t}·col2im(|dY|·|W|ᵀ), t the number of patches a pixel lies in.
 */
export function conv2dBackpropInputCol2im(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  dy: usize,
  w: usize,
  dx: usize,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const m = n * window.oh * window.ow;
  const k = window.kh * window.kw * cg;
  const panelStride = PANEL_ROW * fg;
  const panels = workspace + EDGE_SPACE;
  const bLast = panels + (k / NR) * panelStride;
  const block = panels + ((<usize>(fg * paddedColumns(k))) << 2);
  const dyRow = (<usize>f) << 2;
  const pointwise = isPointwise(window);
  const mc = blockRows(k);
  if (!pointwise) memory.fill(dx, 0, (<usize>(n * window.h * window.w * window.c)) << 2);
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    const dxg = dx + ((<usize>(g * cg)) << 2);
    packPanelsTransposed(fg, k, w + first, dyRow, panels, panelStride);
    for (let ic = 0; ic < m; ic += mc) {
      const rows = min(mc, m - ic);
      let c = block;
      let cRow = (<usize>k) << 2;
      if (pointwise) {
        cRow = (<usize>window.c) << 2;
        c = dxg + ic * cRow;
      }
      for (let pc = 0; pc < fg; pc += KC) {
        const kc = min(KC, fg - pc);
        const a = dy + ic * dyRow + first + ((<usize>pc) << 2);
        const offset = PANEL_ROW * pc;
        gemmBlock(
          rows,
          k,
          kc,
          a,
          dyRow,
          4,
          panels + offset,
          PANEL_ROW,
          panelStride,
          bLast + offset,
          c,
          cRow,
          pc == 0,
          0,
          false,
          workspace,
        );
      }
      if (!pointwise) col2imBlock(window, cg, block, ic, rows, dxg);
    }
  }
}

/**
 * `db[f] = Σ dy[rows, f]` over the rows.
 *
 * Order: one running float32 sum a column, rows ascending. Error: γ_rows·Σ|dy|.
 */
export function biasGradient(rows: i32, f: i32, dy: usize, db: usize): void {
  const row = (<usize>f) << 2;
  let j = 0;
  for (; j + 4 <= f; j += 4) {
    let sum = zero4();
    let p = dy + ((<usize>j) << 2);
    for (let r = rows; r > 0; r--) {
      sum = add4(sum, load4(p));
      p += row;
    }
    store4(db + ((<usize>j) << 2), sum);
  }
  for (; j < f; j++) {
    let sum: f32 = 0;
    let p = dy + ((<usize>j) << 2);
    for (let r = rows; r > 0; r--) {
      sum += load<f32>(p);
      p += row;
    }
    store<f32>(db + ((<usize>j) << 2), sum);
  }
}
