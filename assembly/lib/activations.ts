/** The activations by number, and what the kernels that carry one ask about it. */
import { COPY, EXP } from "./work";

/**
 * The activations by number. `softmax` runs over rows and has kernels of its own; `swish` is `silu`; `gelu` is the exact one
 * and `geluTanh` its approximation by tanh. @abi
 */
export enum Activation {
  linear = 0,
  relu = 1,
  leakyRelu = 2,
  sigmoid = 3,
  tanh = 4,
  softmax = 5,
  relu6 = 6,
  elu = 7,
  selu = 8,
  hardSigmoid = 9,
  softplus = 10,
  silu = 11,
  swish = 11,
  hardSwish = 12,
  gelu = 13,
  geluTanh = 14,
  mish = 15,
}

/** From this activation on the slope follows from the input: the output does not tell it, or not well enough. @abi */
export const FIRST_FROM_INPUT: i32 = Activation.softplus;

/** The cost of an element on its way through an activation (see `work.ts`). @work */
export function activationCost(kind: i32): f64 {
  return isClip(kind) ||
    kind == Activation.leakyRelu ||
    kind == Activation.hardSigmoid ||
    kind == Activation.hardSwish
    ? COPY
    : EXP;
}

/** The cost of its gradient; before softplus the output tells the slope. @work */
export function slopeCost(kind: i32): f64 {
  return kind < FIRST_FROM_INPUT ? COPY : activationCost(kind);
}

/** Whether the kind is a matter of two bounds: linear, relu and relu6. @work */
// @ts-ignore: decorator
@inline
export function isClip(kind: i32): bool {
  return kind == Activation.linear || kind == Activation.relu || kind == Activation.relu6;
}

/** The bounds of such a kind. */
// @ts-ignore: decorator
@inline
export function floorOf(kind: i32): f32 {
  return kind == Activation.linear ? -Infinity : 0;
}

// @ts-ignore: decorator
@inline
export function ceilingOf(kind: i32): f32 {
  return kind == Activation.relu6 ? 6 : Infinity;
}
