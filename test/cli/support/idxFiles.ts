/** Small data sets in MNIST's form. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const IDX_SIDE = 14;

export function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const sizes = shape.flatMap((size) => [0, 0, size >> 8, size & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...data]);
}

/** Writes the four files: images of noise that follows from their place, with labels that do. */
export function writeNoise(folder: string, train: number, test: number): void {
  for (const [prefix, count] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    const images = Uint8Array.from({ length: count * IDX_SIDE * IDX_SIDE }, (_, i) => (i * 7919) % 251);
    const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 10);
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idx([count, IDX_SIDE, IDX_SIDE], images));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idx([count], labels));
  }
}
