import { copyActivation, type Activation } from "../engine/activation.ts";
import { checkOptions, flag, positiveInteger } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { fuseActivation, type FusedActivation } from "./activate.ts";
import { foldWeights } from "./fold.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import { onlyInput, type BuildContext, type Layer, type Pass, type WeightSpec } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";

export interface DenseLayerOptions {
  /** Size of the output. */
  units: number;
  /** Default: `"linear"`. */
  activation?: Activation;
  /** Default: true. */
  useBias?: boolean;
  /** Default: `"glorotUniform"`. */
  kernelInitializer?: Initializer;
  /** Default: `"zeros"`. */
  biasInitializer?: Initializer;
  name?: string;
}

const KEYS = ["units", "activation", "useBias", "kernelInitializer", "biasInitializer", "name"] as const;

/**
 * A fully connected layer over the last axis: `y[…, units] = act(x[…, k]·W[k, units] + b)`.
 *
 * @throws OptionError naming the layer, the expected and the given.
 */
export function dense(options: DenseLayerOptions): Layer {
  checkOptions("dense", options, KEYS);
  const { activation = "linear", name } = options;
  const useBias = flag("dense: useBias", options.useBias ?? true);
  const units = positiveInteger("dense: units", options.units);
  const { kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  const kernelStart = checkInitializer("dense: kernelInitializer", kernelInitializer);
  const biasStart = checkInitializer("dense: biasInitializer", biasInitializer);
  const fused = fuseActivation("dense", activation);
  return defineLayer({
    type: "dense",
    name,
    config: {
      units,
      activation: copyActivation(activation),
      useBias,
      kernelInitializer: kernelStart,
      biasInitializer: biasStart,
    },
    backwardReads: { x: true, y: fused.readsOutput },
    takes: fused.takes,
    isView: () => false,
    outputShape: (inputs, where) => [...onlyInput(inputs, where).slice(0, -1), units],
    weights(inputs): WeightSpec[] {
      const shape = [onlyInput(inputs).at(-1)!, units];
      const kernel = { name: "kernel", shape, initializer: kernelStart };
      return useBias ? [kernel, { name: "bias", shape: [units], initializer: biasStart }] : [kernel];
    },
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
  const forward = (images: number): void => {
    const m = images * rows;
    const bias = b ? b.pointer : 0;
    const ws = room.pointer;
    kernels.gemm(0, 0, m, n, k, x.pointer, k, w.pointer, n, sum.pointer, n, bias, code, alpha, 0, ws);
    activation.finish(images);
  };
  const backward = context.backward?.dense(context, n, activation);
  return backward ? { forward, backward } : { prepare: fold, forward };
}
