/** The number types that buffers, weights and values may have, with the bytes of one element. */
export const BYTES = { float32: 4, int32: 4, uint8: 1 } as const;

/** The type of the numbers in a buffer. */
export type DType = keyof typeof BYTES;
