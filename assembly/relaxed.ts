/** The relaxed build exports this besides, by which the loader tells it from the exact one. */

/** True: `madd4` may be fused. */
export function relaxedMath(): bool {
  return ASC_FEATURE_RELAXED_SIMD;
}
