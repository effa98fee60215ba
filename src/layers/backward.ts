/** The backward passes of the layers with weights, apart from them: a program that only runs models does not carry them. */
import { forwardPass, type Conv2d, type ConvAlgorithm } from "../kernels/conv2d.ts";
import { filterGradientPass, inputGradientPass } from "../kernels/conv2dGradients.ts";
import { sizeOf } from "../tensor.ts";
import type { ActivationPass } from "./activate.ts";
import { onlyInput, type Buffer, type BuildContext } from "./layer.ts";

/** Of a convolution whose window's struct lies at `window`. */
function conv2d(
  context: BuildContext,
  conv: Conv2d,
  window: number,
  activation: ActivationPass,
  algorithm: ConvAlgorithm,
): (n: number) => void {
  const { kernels, x, dx, dy, name } = context;
  const [kernel] = context.weights;
  const [dKernel, dBias] = context.gradients;
  const pixels = conv.window.oh * conv.window.ow;
  // A frozen layer has no gradient of its filters to compute.
  const filterGradient = dKernel && filterGradientPass(name, conv, algorithm);
  const inputGradient = inputGradientPass(name, conv, algorithm);
  const need = Math.max(
    filterGradient?.workspace(kernels, window) ?? 0,
    dx ? inputGradient.workspace(kernels, window) : 0,
  );
  const space = context.scratch(need, "backward");
  const size = dx ? inputGradient.packed(kernels, window) : 0;
  const packed = context.scratch(size, "backward");
  const filters = size === 0 ? kernel! : packed;
  return (n) => {
    activation.backward(n);
    filterGradient?.run(kernels, window, n, x.pointer, dy.pointer, dKernel!.pointer, space.pointer);
    if (dBias) kernels.biasGradient(n * pixels, conv.f, dy.pointer, dBias.pointer);
    if (!dx) return;
    inputGradient.pack(kernels, window, kernel!.pointer, packed.pointer);
    inputGradient.run(kernels, window, n, dy.pointer, filters.pointer, dx.pointer, space.pointer);
  };
}

/** Of a transposed convolution: the passes of `conv`, whose input gradient it is, with the roles of x and dy swapped. */
function conv2dTranspose(
  context: BuildContext,
  conv: Conv2d,
  window: number,
  activation: ActivationPass,
  algorithm: ConvAlgorithm,
): (n: number) => void {
  const { kernels, x, dx, dy, name } = context;
  const [kernel] = context.weights;
  const [dKernel, dBias] = context.gradients;
  const { h, w, c: filters } = conv.window;
  const filterGradient = dKernel && filterGradientPass(name, conv, algorithm);
  const inputGradient = forwardPass(name, conv, algorithm);
  const need = Math.max(
    filterGradient?.workspace(kernels, window) ?? 0,
    dx ? inputGradient.workspace(kernels, window) : 0,
  );
  const space = context.scratch(need, "backward");
  const size = dx ? inputGradient.packed(kernels, window) : 0;
  const packed = context.scratch(size, "backward");
  const panels = size === 0 ? kernel! : packed;
  return (n) => {
    activation.backward(n);
    filterGradient?.run(kernels, window, n, dy.pointer, x.pointer, dKernel!.pointer, space.pointer);
    if (dBias) kernels.biasGradient(n * h * w, filters, dy.pointer, dBias.pointer);
    if (!dx) return;
    inputGradient.pack(kernels, window, kernel!.pointer, packed.pointer);
    inputGradient.run(kernels, window, n, dy.pointer, panels.pointer, 0, dx.pointer, 0, 0, space.pointer);
  };
}

/** Of a dense layer with `n` units. */
function dense(context: BuildContext, n: number, activation: ActivationPass): (images: number) => void {
  const { kernels, capacity, x, dx, dy } = context;
  const [w] = context.weights as [Buffer];
  const [dw, db] = context.gradients;
  const input = onlyInput(context.inputs);
  const k = input.at(-1)!;
  const rows = sizeOf(input) / k;
  const need = Math.max(kernels.gemmWorkspace(n, capacity * rows), kernels.gemmWorkspace(k, n));
  const space = context.scratch(need, "backward");
  return (images) => {
    const m = images * rows;
    const ws = space.pointer;
    activation.backward(images);
    if (dw) kernels.gemm(1, 0, k, n, m, x.pointer, k, dy.pointer, n, dw.pointer, n, 0, 0, 0, 0, ws, 1);
    if (db) kernels.biasGradient(m, n, dy.pointer, db.pointer);
    if (dx) kernels.gemm(0, 1, m, k, n, dy.pointer, n, w.pointer, n, dx.pointer, k, 0, 0, 0, 0, ws);
  };
}

/** As training hands them to the layers. */
export const BACKWARD = { conv2d, conv2dTranspose, dense };
