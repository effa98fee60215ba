/** What the relaxed build exports besides: how it is known from the exact one. */

/** True: `madd4` may be fused. */
export function relaxedMath(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}
