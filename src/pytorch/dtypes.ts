/** The dtypes of PyTorch's tensors that become float32, each exactly. */
import { FLOAT32, type DtypeReaders } from "../formats/safetensors.ts";

/** The float32 of which a bfloat16 is the upper half. */
const upperHalves = (buffer: ArrayBuffer): Float32Array<ArrayBuffer> =>
  new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);

/** A float16 by its bits: five of exponent, ten of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >>> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction > 0 ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  // This is 2^(exponent − 25) by shifts: the powers of a host need not be exact.
  const scale = exponent < 25 ? 1 / (1 << (25 - exponent)) : 1 << (exponent - 25);
  return sign * (1024 + fraction) * scale;
}

/** Counters are integers of 64 bits, and the only ones: a layer that wants floats refuses them by their names. */
export const DTYPES: DtypeReaders = {
  ...FLOAT32,
  F16: { bytes: 2, floats: (buffer) => Float32Array.from(new Uint16Array(buffer), half) },
  BF16: { bytes: 2, floats: upperHalves },
  I64: { bytes: 8, floats: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number) },
};
