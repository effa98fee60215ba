/** Sine and cosine in float64, of + − × ÷ alone, so that they give the same bits in every runtime. */

/** 2π. */
const TURN: f64 = 6.283185307179586;

/** sin θ for |θ| ≤ π / 4, by its Taylor series up to θ¹⁵ / 15!; the first term left out is below 5e-17. */
function sine(a: f64): f64 {
  const z = a * a;
  let p: f64 = -1.0 / 1307674368000;
  p = p * z + 1.0 / 6227020800;
  p = p * z - 1.0 / 39916800;
  p = p * z + 1.0 / 362880;
  p = p * z - 1.0 / 5040;
  p = p * z + 1.0 / 120;
  p = p * z - 1.0 / 6;
  return a + a * z * p;
}

/** cos θ for |θ| ≤ π / 4, by its Taylor series up to θ¹⁶ / 16!; the first term left out is below 3e-18. */
function cosine(a: f64): f64 {
  const z = a * a;
  let p: f64 = 1.0 / 20922789888000;
  p = p * z - 1.0 / 87178291200;
  p = p * z + 1.0 / 479001600;
  p = p * z - 1.0 / 3628800;
  p = p * z + 1.0 / 40320;
  p = p * z - 1.0 / 720;
  p = p * z + 1.0 / 24;
  p = p * z - 0.5;
  return 1 + z * p;
}

/** sin 2π(t + more / 4). The quarter turns nearest to t are taken off exactly. */
function turned(t: f64, more: i64): f64 {
  const quarters = floor(4 * t + 0.5);
  const angle = (t - 0.25 * quarters) * TURN;
  const which = <i64>quarters + more;
  const value = which & 1 ? cosine(angle) : sine(angle);
  return which & 2 ? -value : value;
}

/**
 * sin 2πt for |t| ≤ 2⁵⁰, with an absolute error below 4e-16. Multiples of a quarter give 0, 1 and −1 exactly.
 */
export function sineOfTurns(t: f64): f64 {
  return turned(t, 0);
}

/** cos 2πt, with the range and the error of `sineOfTurns`. */
export function cosineOfTurns(t: f64): f64 {
  return turned(t, 1);
}
