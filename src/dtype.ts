/** The number types that buffers, weights and values may have, each by the array that views it. */
const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array } as const;

/** The type of the numbers in a buffer. */
export type DType = keyof typeof ARRAYS;

/** An array of any of the types. */
export type NumberArray = Float32Array | Int32Array | Uint8Array;

export const DTYPES = Object.keys(ARRAYS) as DType[];

/** The bytes of one number. */
export function bytesOf(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** A view of `length` numbers of a type, from a byte on. */
export function arrayOn(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): NumberArray {
  return new ARRAYS[dtype](buffer as ArrayBuffer, byteOffset, length);
}
