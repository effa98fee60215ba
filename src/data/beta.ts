/** Draws from a beta distribution, the same bits on every host. */
import { exp } from "../math.ts";
import { ln, type Random } from "../random.ts";

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
