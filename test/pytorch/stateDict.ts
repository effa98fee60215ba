/** State dicts as PyTorch has them, written without the package's own codec. */
import type { Tensor } from "im2row";
import { joinFile, type Entry } from "../support/safetensors.ts";

export type Dtype = "F32" | "F16" | "BF16" | "I64";

/** A tensor of a state dict; `bits` are those of other dtypes than float32. */
export interface TorchTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array | BigInt64Array;
  readonly dtype?: Dtype;
}

/** The file that safetensors.torch.save_file writes, which sorts tensors by their names. */
export function stateDict(tensors: Readonly<Record<string, TorchTensor>>): Uint8Array {
  const entries: Record<string, Entry> = {};
  const parts: Uint8Array[] = [];
  let begin = 0;
  for (const name of Object.keys(tensors).sort()) {
    const { shape, data, dtype = "F32" } = tensors[name]!;
    const end = begin + data.byteLength;
    entries[name] = { dtype, shape: [...shape], data_offsets: [begin, end] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    begin = end;
  }
  return joinFile({ tensors: entries, metadata: { format: "pt" }, data: Buffer.concat(parts) });
}

/** A counter of batches. */
export const COUNTER: TorchTensor = { shape: [], data: BigInt64Array.of(7n), dtype: "I64" };

/** Filters `[…size, c, f]` as `[f, c, …size]`, a matrix `[in, out]` as `[out, in]`, one number after the other. */
export function kernelThere({ shape, data }: Tensor): TorchTensor {
  const [c, f] = shape.slice(-2) as [number, number];
  const pixels = data.length / (c * f);
  const there = new Float32Array(data.length);
  for (let p = 0; p < pixels; p++) {
    for (let i = 0; i < c; i++) {
      for (let o = 0; o < f; o++) there[(o * c + i) * pixels + p] = data[(p * c + i) * f + o]!;
    }
  }
  return { shape: [f, c, ...shape.slice(0, -2)], data: there };
}

/** An image `[h, w, c]`, whose elements are rows of numbers, as `[c, h, w]`. */
export function imageThere(data: Float32Array, [h, w, c]: readonly [number, number, number]): Float32Array {
  const [pixels, row] = [h * w, data.length / (h * w * c)];
  const there = new Float32Array(data.length);
  for (let p = 0; p < pixels; p++) {
    for (let k = 0; k < c; k++) {
      there.set(data.subarray((p * c + k) * row, (p * c + k + 1) * row), (k * pixels + p) * row);
    }
  }
  return there;
}
