/**
 * The vector instructions of every kernel, under the names the kernels use.
 *
 * This is the only file that spells them, so that a build variant (exact, relaxed) differs here alone.
 * Addresses are bytes. `load4(p + 16)` compiles to one load with an immediate offset: the optimizer folds
 * constants below 1024 because nothing lives in the first 1024 bytes of memory.
 */

/** Lanes of a vector of float32. */
export const LANES: i32 = 4;

// @ts-ignore: decorator
@inline export function load4(p: usize): v128 {
  return v128.load(p);
}

/** One float32 at `p` in all four lanes. */
// @ts-ignore: decorator
@inline export function loadSplat(p: usize): v128 {
  return v128.load32_splat(p);
}

// @ts-ignore: decorator
@inline export function store4(p: usize, v: v128): void {
  v128.store(p, v);
}

// @ts-ignore: decorator
@inline export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// @ts-ignore: decorator
@inline export function zero4(): v128 {
  return f32x4.splat(0);
}

// @ts-ignore: decorator
@inline export function add4(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline export function sub4(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}

// @ts-ignore: decorator
@inline export function mul4(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline export function div4(a: v128, b: v128): v128 {
  return f32x4.div(a, b);
}

// @ts-ignore: decorator
@inline export function sqrt4(a: v128): v128 {
  return f32x4.sqrt(a);
}

/** `acc + a · b`, rounded twice: the exact build has no fused multiply-add. */
// @ts-ignore: decorator
@inline export function madd4(a: v128, b: v128, acc: v128): v128 {
  return f32x4.add(acc, f32x4.mul(a, b));
}
