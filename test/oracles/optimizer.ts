/** Optimizer recurrences in float64, one weight at a time. */

export interface SgdOptions {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** PyTorch's SGD; returns the new weight and velocity. */
export function sgd(w: number, g: number, v: number, o: SgdOptions): { w: number; v: number } {
  const gradient = g + o.weightDecay * w;
  const velocity = o.momentum * v + gradient;
  const step = o.nesterov ? gradient + o.momentum * velocity : velocity;
  return { w: w - o.learningRate * step, v: velocity };
}

export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  decoupled: boolean;
}

/** PyTorch's Adam and AdamW in step `t`, counted from 1. */
export function adam(
  w: number,
  g: number,
  m: number,
  v: number,
  t: number,
  o: AdamOptions,
): { w: number; m: number; v: number } {
  const gradient = o.decoupled ? g : g + o.weightDecay * w;
  const decayed = o.decoupled ? w * (1 - o.learningRate * o.weightDecay) : w;
  const first = o.beta1 * m + (1 - o.beta1) * gradient;
  const second = o.beta2 * v + (1 - o.beta2) * gradient ** 2;
  const mean = first / (1 - o.beta1 ** t);
  const scale = Math.sqrt(second / (1 - o.beta2 ** t)) + o.epsilon;
  return { w: decayed - (o.learningRate * mean) / scale, m: first, v: second };
}
