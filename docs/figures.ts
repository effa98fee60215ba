/**
 * Draws the pictures of gradients.md: im2row.svg and col2im.svg.
 *
 *   npx tsx docs/figures.ts
 *
 * The example of the page: a 7×7×3 image, 3×3 filters with stride 2, so nine patches of 27 numbers.
 */
import { writeFileSync } from "node:fs";

const SIZE = 7;
const CHANNELS = 3;
const KERNEL = 3;
const STRIDE = 2;
const OUT = (SIZE - KERNEL) / STRIDE + 1;

const INK = "#1f2430";
const FAINT = "#6b7280";
const LINE = "#c3c8d2";
/** One colour a patch, light enough for dark text. */
const PATCH = [
  "#7fb3e6",
  "#f5b36b",
  "#8fd18a",
  "#e98f8f",
  "#c3a5e0",
  "#f0d663",
  "#7fd4cc",
  "#f2a3cf",
  "#c9b08e",
];

interface Patch {
  index: number;
  /** First row and column of the patch in the image. */
  top: number;
  left: number;
  color: string;
}

const patches: Patch[] = Array.from({ length: OUT * OUT }, (_, index) => ({
  index,
  top: Math.floor(index / OUT) * STRIDE,
  left: (index % OUT) * STRIDE,
  color: PATCH[index] ?? LINE,
}));

type Attributes = Record<string, string | number>;

function element(name: string, attributes: Attributes, content = ""): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${value}"`);
  return content ? `<${name}${list.join("")}>${content}</${name}>` : `<${name}${list.join("")}/>`;
}

function rect(x: number, y: number, width: number, height: number, attributes: Attributes): string {
  return element("rect", { x, y, width, height, ...attributes });
}

function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element(
    "text",
    { x, y, fill: INK, "font-size": 17, "text-anchor": "middle", ...attributes },
    content,
  );
}

function arrow(x1: number, x2: number, y: number): string {
  const head = `${x2},${y} ${x2 - 12},${y - 7} ${x2 - 12},${y + 7}`;
  return (
    element("line", { x1, y1: y, x2: x2 - 10, y2: y, stroke: INK, "stroke-width": 2.5 }) +
    element("polygon", { points: head, fill: INK })
  );
}

function picture(width: number, height: number, title: string, parts: string[]): string {
  const body = [
    element("title", {}, title),
    rect(0.5, 0.5, width - 1, height - 1, { rx: 10, fill: "#ffffff", stroke: LINE }),
    ...parts,
  ];
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
    "font-family": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
  };
  return element("svg", attributes, `\n${body.join("\n")}\n`) + "\n";
}

// The matrix of patches: a row a patch, nine blocks (the taps of the window) of three columns (the channels).

const CELL_W = 15;
const CELL_H = 30;
const TAP_GAP = 4;
const ROW_GAP = 10;
const MATRIX_W =
  KERNEL * KERNEL * (CHANNELS * CELL_W + TAP_GAP) - TAP_GAP + (KERNEL - 1) * (ROW_GAP - TAP_GAP);
const MATRIX_H = patches.length * CELL_H;

function tapX(tap: number): number {
  return tap * (CHANNELS * CELL_W + TAP_GAP) + Math.floor(tap / KERNEL) * (ROW_GAP - TAP_GAP);
}

/** The channels of a block differ in strength: channel 0 darkest. */
function matrix(x: number, y: number): string {
  const cells = patches.flatMap((patch) =>
    [1, 0.7, 0.42].map((strength, channel) => {
      const taps = Array.from({ length: KERNEL * KERNEL }, (_, tap) => {
        const left = x + tapX(tap) + channel * CELL_W;
        return `M${left},${y + patch.index * CELL_H}h${CELL_W - 1}v${CELL_H - 3}h${1 - CELL_W}z`;
      });
      return element("path", { d: taps.join(""), fill: patch.color, "fill-opacity": strength });
    }),
  );
  const rows = patches.map((patch) =>
    text(x - 12, y + patch.index * CELL_H + 20, String(patch.index), {
      "text-anchor": "end",
      "font-weight": 600,
    }),
  );
  return cells.concat(rows).join("");
}

/** Names of the columns: filter row, then the three taps in it, then their channels. */
function matrixHead(x: number, y: number): string {
  const parts: string[] = [];
  for (let ky = 0; ky < KERNEL; ky++) {
    const from = x + tapX(ky * KERNEL);
    const to = x + tapX(ky * KERNEL + KERNEL - 1) + CHANNELS * CELL_W;
    parts.push(text((from + to) / 2, y - 46, `filter row ${ky}`, { "font-size": 15 }));
    parts.push(
      element("line", { x1: from, y1: y - 39, x2: to, y2: y - 39, stroke: FAINT, "stroke-width": 1.5 }),
    );
    for (let kx = 0; kx < KERNEL; kx++) {
      const left = x + tapX(ky * KERNEL + kx);
      parts.push(text(left + 1.5 * CELL_W, y - 23, `col ${kx}`, { "font-size": 13.5 }));
      for (let c = 0; c < CHANNELS; c++) {
        parts.push(text(left + (c + 0.5) * CELL_W, y - 7, String(c), { "font-size": 12, fill: FAINT }));
      }
    }
  }
  return parts.join("");
}

function matrixSize(x: number, y: number, name: string): string {
  return (
    text(x + MATRIX_W / 2, y + MATRIX_H + 27, `${name}: 9 × 27`, { "font-weight": 600 }) +
    text(x + MATRIX_W / 2, y + MATRIX_H + 50, "9 blocks (taps) of 3 columns (channels 0, 1, 2)", {
      "font-size": 14.5,
      fill: FAINT,
    })
  );
}

function grid(x: number, y: number, cell: number, attributes: Attributes): string {
  const lines: string[] = [];
  for (let i = 0; i <= SIZE; i++) {
    const at = i * cell;
    lines.push(`M${x + at},${y}v${SIZE * cell}M${x},${y + at}h${SIZE * cell}`);
  }
  return element("path", { d: lines.join(""), fill: "none", stroke: LINE, ...attributes });
}

/** The three channel planes of the image, the front one (channel 0) with the nine windows on it. */
function image(x: number, y: number, cell: number): string {
  const shift = 11;
  const planes = [2, 1, 0].map((c) => {
    const [left, top] = [x + c * shift, y - c * shift];
    return (
      rect(left, top, SIZE * cell, SIZE * cell, { fill: "#ffffff", stroke: FAINT, "stroke-width": 1.2 }) +
      grid(left, top, cell, {})
    );
  });
  const windows = patches.map((patch) => {
    // Neighbours share a row or column of pixels: different insets keep their outlines apart.
    const inset = 2.5 + ((Math.floor(patch.index / OUT) + (patch.index % OUT)) % 2) * 4;
    const side = KERNEL * cell - 2 * inset;
    const [left, top] = [x + patch.left * cell + inset, y + patch.top * cell + inset];
    const fill = rect(left, top, side, side, { rx: 4, fill: patch.color, "fill-opacity": 0.3 });
    const outline = { rx: 4, fill: "none", stroke: patch.color, "stroke-width": 3.2 };
    return { fill, outline: rect(left, top, side, side, outline) };
  });
  const labels = patches.map((patch) => {
    const [cx, cy] = [x + (patch.left + 1.5) * cell, y + (patch.top + 1.5) * cell];
    return (
      element("circle", { cx, cy, r: 14, fill: patch.color, stroke: INK, "stroke-width": 0.8 }) +
      text(cx, cy + 6, String(patch.index), { "font-weight": 600 })
    );
  });
  return [...planes, ...windows.map((w) => w.fill), ...windows.map((w) => w.outline), ...labels].join("");
}

/** A matrix of `rows` × n drawn as a block. */
function block(x: number, y: number, width: number, rowHeight: number, fills: string[]): string {
  return fills
    .map((fill, row) => rect(x, y + row * rowHeight, width, rowHeight - (rowHeight > 15 ? 3 : 1), { fill }))
    .join("");
}

function im2rowPicture(): string {
  const [width, height, cell, top] = [1120, 456, 38, 114];
  const matrixX = 400;
  const weightX = matrixX + MATRIX_W + 58;
  const outX = weightX + 50 + 62;
  const middle = top + MATRIX_H / 2;
  return picture(
    width,
    height,
    "im2row: nine 3×3×3 patches of a 7×7×3 image become the nine rows of a matrix",
    [
      text(24, 36, "im2row, then one matrix product", {
        "text-anchor": "start",
        "font-size": 21,
        "font-weight": 600,
      }),
      image(24, top + 2, cell),
      text(24 + (SIZE * cell) / 2, top + MATRIX_H + 27, "x: 7 × 7 × 3", { "font-weight": 600 }),
      text(24 + (SIZE * cell) / 2, top + MATRIX_H + 50, "3×3 windows, stride 2: patches 0 … 8", {
        "font-size": 14.5,
        fill: FAINT,
      }),
      arrow(326, 368, middle),
      matrixHead(matrixX, top),
      matrix(matrixX, top),
      matrixSize(matrixX, top, "R = im2row(x)"),
      text(weightX - 28, middle + 8, "·", { "font-size": 40, "font-weight": 700 }),
      block(weightX, top, 50, MATRIX_H / 27, Array<string>(27).fill("#aeb5c2")),
      text(weightX + 25, top + MATRIX_H + 27, "W: 27 × n", { "font-weight": 600 }),
      text(weightX + 25, top + MATRIX_H + 50, "a filter a column", { "font-size": 14.5, fill: FAINT }),
      text(outX - 31, middle + 8, "=", { "font-size": 26, "font-weight": 600 }),
      block(outX, top, 50, CELL_H, PATCH),
      text(outX + 30, top + MATRIX_H + 27, "Y: 9 × n", { "font-weight": 600 }),
      text(outX + 30, top + MATRIX_H + 50, "= 3 × 3 × n", { "font-size": 14.5, fill: FAINT }),
    ],
  );
}

/** The patches of dR, still apart: between two of them, the pixels both will add to. */
function scattered(x: number, y: number, cell: number, gap: number): string {
  return patches
    .map((patch) => {
      const left = x + (patch.index % OUT) * (KERNEL * cell + gap);
      const top = y + Math.floor(patch.index / OUT) * (KERNEL * cell + gap);
      const cells = Array.from({ length: KERNEL * KERNEL }, (_, tap) =>
        rect(left + (tap % KERNEL) * cell, top + Math.floor(tap / KERNEL) * cell, cell, cell, {
          fill: patch.color,
          stroke: "#ffffff",
        }),
      );
      const [cx, cy] = [left + 1.5 * cell, top + 1.5 * cell];
      return cells.join("") + text(cx, cy + 6, String(patch.index), { "font-weight": 600 });
    })
    .join("");
}

/** The image of dx: every pixel carries the colours of the patches that add to it, and their number. */
function overlaps(x: number, y: number, cell: number): string {
  const parts: string[] = [];
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      const [left, top] = [x + column * cell, y + row * cell];
      const hits = patches.filter(
        (p) => row >= p.top && row < p.top + KERNEL && column >= p.left && column < p.left + KERNEL,
      );
      const across = new Set(hits.map((p) => p.left)).size;
      const down = hits.length / across;
      hits.forEach((patch, i) => {
        const [w, h] = [cell / across, cell / down];
        parts.push(
          rect(left + (i % across) * w, top + Math.floor(i / across) * h, w, h, { fill: patch.color }),
        );
      });
      const shared = hits.length > 1;
      if (shared)
        parts.push(element("circle", { cx: left + cell / 2, cy: top + cell / 2, r: 10.5, fill: "#ffffff" }));
      parts.push(
        text(left + cell / 2, top + cell / 2 + 6, String(hits.length), {
          "font-weight": shared ? 700 : 400,
          ...(shared ? {} : { "fill-opacity": 0.75 }),
        }),
      );
    }
  }
  return parts.join("") + grid(x, y, cell, { stroke: "#ffffff", "stroke-width": 2.5 });
}

function col2imPicture(): string {
  const [width, height, cell, top] = [1240, 456, 38, 114];
  const matrixX = 48;
  const patchX = matrixX + MATRIX_W + 74;
  const [small, gap] = [26, 18];
  const patchSide = OUT * KERNEL * small + (OUT - 1) * gap;
  const imageX = patchX + patchSide + 68;
  const middle = top + MATRIX_H / 2;
  return picture(
    width,
    height,
    "col2im: the rows go back to their patches, and shared pixels receive the sum",
    [
      text(24, 36, "col2im: every row goes home, shared pixels receive the sum", {
        "text-anchor": "start",
        "font-size": 21,
        "font-weight": 600,
      }),
      matrixHead(matrixX, top),
      matrix(matrixX, top),
      matrixSize(matrixX, top, "dR = dY · Wᵀ"),
      arrow(matrixX + MATRIX_W + 18, patchX - 16, middle),
      scattered(patchX, top, small, gap),
      text(patchX + patchSide / 2, top + MATRIX_H + 27, "nine patches, 3 × 3 × 3 each", {
        "font-weight": 600,
      }),
      text(patchX + patchSide / 2, top + MATRIX_H + 50, "every row folded back", {
        "font-size": 14.5,
        fill: FAINT,
      }),
      arrow(patchX + patchSide + 14, imageX - 14, middle),
      overlaps(imageX, top, cell),
      text(imageX + (SIZE * cell) / 2, top + MATRIX_H + 27, "dx = col2im(dR): 7 × 7 × 3", {
        "font-weight": 600,
      }),
      text(imageX + (SIZE * cell) / 2, top + MATRIX_H + 50, "number = how many patches add here", {
        "font-size": 14.5,
        fill: FAINT,
      }),
    ],
  );
}

writeFileSync(new URL("./im2row.svg", import.meta.url), im2rowPicture());
writeFileSync(new URL("./col2im.svg", import.meta.url), col2imPicture());
