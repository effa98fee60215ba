/** Draws from a beta distribution, the same bits on every host. */
import { ln, type Random } from "../random.ts";

/** ln 2 in two parts: the high one has 21 trailing zero bits, so that its product with an exponent is exact. */
const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;

const bits = new DataView(new ArrayBuffer(8));

/**
 * e^x of x ≤ 0, to 0 where it is below 2^-1022. With `x = k·ln 2 + r`, |r| ≤ ½ ln 2, it is 2^k times the series of e^r, cut
 * after r¹⁵/15! (the rest is below 2^-66).
 */
export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  if (k < -1022) return 0;
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let series = 1;
  for (let i = 15; i > 0; i--) series = 1 + (r * series) / i;
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return series * bits.getFloat64(0);
}

/**
 * A number from Beta(alpha, alpha): Jöhnk (1964), u^(1/alpha) and v^(1/alpha) of uniform u and v whose sum is at most 1, the
 * first by their sum. For alpha of 4 a draw takes 70 pairs on average.
 */
export function symmetricBeta(random: Random, alpha: number): number {
  for (;;) {
    // Odd multiples of 2^-33: neither 0 nor 1.
    const x = ln((random.nextUint32() + 0.5) / 0x1_0000_0000) / alpha;
    const y = ln((random.nextUint32() + 0.5) / 0x1_0000_0000) / alpha;
    if (exp(x) + exp(y) > 1) continue;
    // Both powers may be too small for a number, their ratio is not.
    const most = Math.max(x, y);
    const [a, b] = [exp(x - most), exp(y - most)];
    return a / (a + b);
  }
}
