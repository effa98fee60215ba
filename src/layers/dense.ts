import { positiveInteger, readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { activationGradient, fuseActivation, type ActivationPass, type FusedActivation } from "./activate.ts";
import type { Buffer } from "./buffer.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { foldWeights } from "./fold.ts";
import { kernelAndBias, WEIGHTED, type WeightedOptions } from "./kernelAndBias.ts";
import { layerOf } from "./symbolic.ts";

export interface DenseLayerOptions extends WeightedOptions {
  /** The size of the output's last axis. */
  units: number;
}

/**
 * A fully connected layer over the last axis: `y[…, units] = act(x[…, k]·W[k, units] + b)`.
 *
 * @throws OptionError naming the layer, the expected and the given.
 */
export function dense(options: DenseLayerOptions): Layer {
  const config = readOptions("dense", options, { units: positiveInteger, ...WEIGHTED });
  const { units } = config;
  const fused = fuseActivation("dense", config.activation);
  return layerOf({
    type: "dense",
    name: options.name,
    config,
    backwardReads: { x: true, y: fused.readsOutput },
    fusable: fused.fusable,
    outputShape: (inputs, where) => [...onlyInput(inputs, where).slice(0, -1), units],
    weights: (inputs) => kernelAndBias(config, [onlyInput(inputs).at(-1)!, units], units),
    build: (context) => buildPass(context, units, fused),
  });
}

/** The number of rows of one image, and their length. */
function rowsOf({ inputs }: BuildContext): { rows: number; k: number } {
  const input = onlyInput(inputs);
  const k = input.at(-1)!;
  return { rows: sizeOf(input) / k, k };
}

function buildPass(context: BuildContext, n: number, fused: FusedActivation): Pass<ActivationPass> {
  const { kernels, x } = context;
  const { rows, k } = rowsOf(context);
  const { kernel: w, bias: b, prepare: fold } = foldWeights(context, k * n, n);
  const activation = fused.build(context, n, rows);
  const { code, alpha, preactivation } = activation;
  const workspace = context.workspace(kernels.gemmWorkspace(n, k));
  // Weights without subnormal numbers can be read in place. In training they change too often to be searched for them.
  let asIs = false;
  const prepare = (): void => {
    fold();
    asIs = kernels.hasSubnormals(k * n, w.pointer) === 0;
  };
  const forward = (images: number): void => {
    const m = images * rows;
    const bias = b ? b.pointer : 0;
    const to = preactivation.pointer;
    const ws = workspace.pointer;
    kernels.gemm(0, 0, m, n, k, x.pointer, k, w.pointer, n, to, n, bias, code, alpha, 0, ws, asIs);
    activation.finish(images);
  };
  return context.needsGradient ? { forward, state: activation } : { prepare, forward };
}

/** `dW = xᵀ·dy`, `db = Σ rows of dy`, `dx = dy·Wᵀ`, where dy is the gradient of the preactivation. */
export const denseGradient: Gradient<ActivationPass> = (context, activation) => {
  const { kernels, capacity, x, dx, dy } = context;
  const { rows, k } = rowsOf(context);
  const n = activation.columns;
  const [w] = context.weights as [Buffer];
  const [dw, db] = context.gradients;
  const activationBackward = activationGradient(context, activation);
  const need = Math.max(kernels.gemmWorkspace(n, capacity * rows), kernels.gemmWorkspace(k, n));
  const workspace = context.workspace(need);
  return (images) => {
    const m = images * rows;
    const ws = workspace.pointer;
    activationBackward(images);
    if (dw) kernels.gemm(1, 0, k, n, m, x.pointer, k, dy.pointer, n, dw.pointer, n, 0, 0, 0, 0, ws, 1);
    if (db) kernels.biasGradient(m, n, dy.pointer, db.pointer);
    if (dx) kernels.gemm(0, 1, m, k, n, dy.pointer, n, w.pointer, n, dx.pointer, k, 0, 0, 0, 0, ws);
  };
};
