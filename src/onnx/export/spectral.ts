/** Writes a layer with a normalized kernel as that layer, of the kernel that it has in inference. */
import { wrappedLayer, type StoredLayer } from "../../layers/spectralNormalization.ts";
import { sizeOf, type Tensor } from "../../tensor.ts";
import type { Site } from "./file.ts";
import { dense } from "./operands.ts";
import { conv1d, conv2d, depthwiseConv2d } from "./windows.ts";

const EXPORTERS: Readonly<Record<string, (site: Site) => string>> = {
  conv1d,
  conv2d,
  depthwiseConv2d,
  dense,
};

/** Iterations before the first step, as in `assembly/normalization/spectral.ts`, whose sums and roundings these are. */
const FIRST_STEPS = 15;

/** The sums of products of the columns of a matrix, or of its rows, with a vector, over the norm of all. */
function iterated(count: number, length: number, product: (i: number, j: number) => number): Float32Array {
  const sums = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < length; j++) sum += product(i, j);
    sums[i] = sum;
  }
  const norm = Math.max(Math.sqrt(sums.reduce((sum, x) => sum + x * x, 0)), 1e-12);
  return sums.map((x) => x / norm);
}

/** The kernel over its singular value, by the layer's vectors. */
function normalized({ shape, data: w }: Tensor, { data: u }: Tensor, { data: v }: Tensor): Tensor {
  const columns = shape.at(-1)!;
  const rows = sizeOf(shape) / columns;
  let [right, left] = [u, v];
  for (let step = u.some(Boolean) ? 0 : FIRST_STEPS; step > 0; step--) {
    right = iterated(columns, rows, (j, i) => w[i * columns + j]! * left[i]!);
    left = iterated(rows, columns, (i, j) => w[i * columns + j]! * right[j]!);
  }
  let sigma = 0;
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += w[i * columns + j]! * right[j]!;
    sigma += sum * left[i]!;
  }
  const by = Math.fround(sigma);
  return { shape, data: w.map((x) => x / by) };
}

export function spectralNormalization(site: Site): string {
  const { layer } = site.config<{ layer: StoredLayer }>();
  const kernel = normalized(site.tensor("kernel"), site.tensor("vectorU"), site.tensor("vectorV"));
  return EXPORTERS[layer.type]!(site.wrapping(wrappedLayer(layer), new Map([["kernel", kernel]])));
}
