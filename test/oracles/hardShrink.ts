/** Hard shrinkage from its definition. */

export function hardShrink(x: number, lambda: number): number {
  return x >= -lambda && x <= lambda ? 0 : x;
}

export function hardShrinkSlope(x: number, lambda: number): number {
  return x >= -lambda && x <= lambda ? 0 : 1;
}
