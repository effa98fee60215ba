import { checkOptions, positiveInteger } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { fuseActivation, type FusedActivation } from "./activate.ts";
import { foldWeights } from "./fold.ts";
import { onlyInput, type BuildContext, type Layer, type Pass } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";
import { checkWeighted, kernelAndBias, WEIGHTED_KEYS, type WeightedOptions } from "./kernelAndBias.ts";

export interface DenseLayerOptions extends WeightedOptions {
  /** Size of the output. */
  units: number;
}

/**
 * A fully connected layer over the last axis: `y[…, units] = act(x[…, k]·W[k, units] + b)`.
 *
 * @throws OptionError naming the layer, the expected and the given.
 */
export function dense(options: DenseLayerOptions): Layer {
  checkOptions("dense", options, ["units", ...WEIGHTED_KEYS]);
  const units = positiveInteger("dense: units", options.units);
  const weighted = checkWeighted("dense", options);
  const fused = fuseActivation("dense", weighted.activation);
  return defineLayer({
    type: "dense",
    name: options.name,
    config: { units, ...weighted },
    backwardReads: { x: true, y: fused.readsOutput },
    takes: fused.takes,
    isView: () => false,
    outputShape: (inputs, where) => [...onlyInput(inputs, where).slice(0, -1), units],
    weights: (inputs) => kernelAndBias(weighted, [onlyInput(inputs).at(-1)!, units], units),
    build: (context) => buildPass(context, units, fused),
  });
}

function buildPass(context: BuildContext, n: number, fused: FusedActivation): Pass {
  const { kernels, x } = context;
  const input = onlyInput(context.inputs);
  const k = input.at(-1)!;
  const rows = sizeOf(input) / k;
  const { kernel: w, bias: b, fold } = foldWeights(context, k * n, n, false);
  const activation = fused.build(context, n, rows);
  const { code, alpha, sum } = activation;
  const room = context.scratch(kernels.gemmWorkspace(n, k), "forward");
  // Weights without subnormal numbers can be read in place; those that learn are not looked through for them.
  let asIs = false;
  const prepare = (): void => {
    fold();
    asIs = kernels.hasSubnormals(k * n, w.pointer) === 0;
  };
  const forward = (images: number): void => {
    const m = images * rows;
    const bias = b ? b.pointer : 0;
    const ws = room.pointer;
    kernels.gemm(0, 0, m, n, k, x.pointer, k, w.pointer, n, sum.pointer, n, bias, code, alpha, 0, ws, asIs);
    activation.finish(images);
  };
  const backward = context.backward?.dense(context, n, activation);
  return backward ? { forward, backward } : { prepare, forward };
}
