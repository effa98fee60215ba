/** Single elements of arrays in memory, for what is computed once a channel. */

// @ts-ignore: decorator
@inline
export function float(p: usize, i: i32): f32 {
  return load<f32>(p + ((<usize>i) << 2));
}

// @ts-ignore: decorator
@inline
export function setFloat(p: usize, i: i32, value: f64): void {
  store<f32>(p + ((<usize>i) << 2), <f32>value);
}

// @ts-ignore: decorator
@inline
export function double(p: usize, i: i32): f64 {
  return load<f64>(p + ((<usize>i) << 3));
}

// @ts-ignore: decorator
@inline
export function setDouble(p: usize, i: i32, value: f64): void {
  store<f64>(p + ((<usize>i) << 3), value);
}
