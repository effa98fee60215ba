import { activationCode, type Activation } from "../kernels/activation.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ShapeError } from "../errors.ts";
import { classNumbers, copyValues, type Labels } from "../labels.ts";
import { checkOptions, flag } from "../options.ts";
import {
  expectShape,
  readTensor,
  shapeText,
  sizeOf,
  type Shape,
  type Tensor,
  type OwnTensor,
} from "../tensor.ts";
import { scoped } from "./scope.ts";

export interface MatMulOptions {
  /** The first operand is stored as `[k, m]`. */
  transposeA?: boolean | undefined;
  /** The second operand is stored as `[n, k]`. */
  transposeB?: boolean | undefined;
  /** Added to each row: `[n]`. */
  bias?: Tensor | undefined;
  activation?: Activation | undefined;
}

export function matMul(
  runtime: Runtime,
  first: Tensor,
  second: Tensor,
  options: MatMulOptions = {},
): OwnTensor {
  checkOptions("matMul", options, ["transposeA", "transposeB", "bias", "activation"]);
  const a = readTensor("matMul: a", first, 2);
  const b = readTensor("matMul: b", second, 2);
  const { bias: added } = options;
  const transposeA = flag("matMul: transposeA", options.transposeA ?? false);
  const transposeB = flag("matMul: transposeB", options.transposeB ?? false);
  const [a0, a1] = a.shape as [number, number];
  const [b0, b1] = b.shape as [number, number];
  const [m, k] = transposeA ? [a1, a0] : [a0, a1];
  const [inner, n] = transposeB ? [b1, b0] : [b0, b1];
  if (inner !== k) {
    const text = (shape: readonly number[], t: boolean): string =>
      shapeText(shape) + (t ? " transposed" : "");
    throw new ShapeError(
      `matMul: b: expected ${k} rows to match a (${text(a.shape, transposeA)}), got ${inner} (${text(b.shape, transposeB)})`,
    );
  }
  const bias = added && readTensor("matMul: bias", added);
  if (bias) expectShape("matMul: bias", bias.shape, [n]);
  const { name, code, alpha } = activationCode("matMul", options.activation ?? "linear");
  return scoped(runtime, "matMul", (scope) => {
    const { kernels } = runtime;
    const c = scope.allocate(m * n);
    const pa = scope.operand(a);
    const pb = scope.operand(b);
    const workspace = scope.allocate(kernels.gemmWorkspace(n, k));
    const pBias = bias ? scope.operand(bias) : 0;
    const fused = name === "softmax" ? 0 : code;
    kernels.gemm(
      transposeA,
      transposeB,
      m,
      n,
      k,
      pa,
      a1,
      pb,
      b1,
      c,
      n,
      pBias,
      fused,
      alpha,
      false,
      workspace,
    );
    if (name === "softmax") kernels.softmaxForward(c, c, m, n);
    return scope.take(c, [m, n]);
  });
}

export function sumRows(runtime: Runtime, given: Tensor): OwnTensor {
  const x = readTensor("sumRows: x", given);
  const columns = x.shape.at(-1) ?? 1;
  return scoped(runtime, "sumRows", (scope) => {
    const sums = scope.allocate(columns);
    runtime.kernels.biasGradient(sizeOf(x.shape) / columns, columns, scope.operand(x), sums);
    return scope.take(sums, [columns]);
  });
}

/** Applies an activation; softmax runs over the last axis. */
export function activation(runtime: Runtime, given: Tensor, kind: Activation): OwnTensor {
  const x = readTensor("activation: x", given);
  const { name, code, alpha } = activationCode("activation", kind);
  const size = sizeOf(x.shape);
  const columns = x.shape.at(-1) ?? 1;
  return scoped(runtime, "activation", (scope) => {
    const p = scope.operand(x);
    if (name === "softmax") runtime.kernels.softmaxForward(p, p, size / columns, columns);
    else runtime.kernels.activationForward(code, alpha, p, p, size);
    return scope.take(p, x.shape);
  });
}

/** The gradient with respect to an activation's input, from its output `y` and `dy`. */
export function activationBackprop(
  runtime: Runtime,
  gradient: Tensor,
  output: Tensor,
  kind: Activation,
): OwnTensor {
  const dy = readTensor("activationBackprop: dy", gradient);
  const y = readTensor("activationBackprop: y", output);
  expectShape("activationBackprop: y", y.shape, dy.shape);
  const { name, code, alpha } = activationCode("activationBackprop", kind);
  const size = sizeOf(y.shape);
  const columns = y.shape.at(-1) ?? 1;
  return scoped(runtime, "activationBackprop", (scope) => {
    const py = scope.operand(y);
    const pdy = scope.operand(dy);
    if (name === "softmax") runtime.kernels.softmaxBackward(py, pdy, pdy, size / columns, columns);
    else runtime.kernels.activationBackward(code, alpha, py, pdy, pdy, size);
    return scope.take(pdy, y.shape);
  });
}

/** A loss, the number of rows whose largest element is the target's, and the gradient of the loss. */
export interface LossResult {
  loss: number;
  correct: number;
  gradient: OwnTensor;
}

/** A copy of rows of labels, checked. */
function distributions(where: string, labels: Tensor, shape: Shape): Float32Array {
  expectShape(where, labels.shape, shape);
  const rows = new Float32Array(sizeOf(shape));
  copyValues(where, labels.data, shape, "distribution", rows);
  return rows;
}

/** Mean cross-entropy of `softmax(logits[n, classes])`; labels are class numbers `[n]` or rows `[n, classes]`. */
export function softmaxCrossEntropy(runtime: Runtime, given: Tensor, labels: Labels): LossResult {
  const where = "softmaxCrossEntropy";
  const logits = readTensor(`${where}: logits`, given, 2);
  const [rows, columns] = logits.shape as [number, number];
  const own = classNumbers(where, labels, rows, columns);
  const classes = own instanceof Int32Array;
  const targets = classes ? own : distributions(`${where}: labels`, own, logits.shape);
  return scoped(runtime, where, (scope) => {
    const { kernels, heap } = runtime;
    const x = scope.operand(logits);
    const result = scope.allocate(4);
    const at = scope.put(targets);
    if (classes) kernels.softmaxCrossEntropySparse(x, at, 0, x, rows, columns, result);
    else kernels.softmaxCrossEntropyDense(x, at, 0, x, rows, columns, result);
    const view = new DataView(heap.memory.buffer, result);
    return {
      loss: view.getFloat64(0, true),
      correct: view.getInt32(8, true),
      gradient: scope.take(x, logits.shape),
    };
  });
}
