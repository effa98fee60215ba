import { copyActivation, type Activation } from "../engine/activation.ts";
import { checkOptions, flag, positiveInteger } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import { fuseActivation, type FusedActivation } from "./activate.ts";
import { checkInitializer, type Initializer } from "./initializers.ts";
import { onlyInput, type BuildContext, type Layer, type Pass, type WeightSpec } from "./layer.ts";

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
  return {
    type: "dense",
    name,
    config: {
      units,
      activation: copyActivation(activation),
      useBias,
      kernelInitializer: kernelStart,
      biasInitializer: biasStart,
    },
    backwardReads: { x: true, y: !fused.linear },
    isView: () => false,
    outputShape: (inputs) => [...onlyInput(inputs).slice(0, -1), units],
    weights(inputs): WeightSpec[] {
      const shape = [onlyInput(inputs).at(-1)!, units];
      const kernel = { name: "kernel", shape, initializer: kernelStart };
      return useBias ? [kernel, { name: "bias", shape: [units], initializer: biasStart }] : [kernel];
    },
    build: (context) => buildPass(context, units, fused),
  };
}

function buildPass(context: BuildContext, units: number, fused: FusedActivation): Pass {
  const { kernels, capacity, x, y, dx, dy } = context;
  const [kernel, bias] = context.weights;
  const [dKernel, dBias] = context.gradients;
  const input = onlyInput(context.inputs);
  const k = input.at(-1)!;
  const rowsPerImage = sizeOf(input) / k;
  const room = context.scratch(kernels.gemmWorkspace(units, k), "forward");
  const { code, alpha } = fused;
  const forward = (n: number): void => {
    const m = n * rowsPerImage;
    const b = bias ? bias.pointer : 0;
    kernels.gemm(
      0,
      0,
      m,
      units,
      k,
      x.pointer,
      k,
      kernel!.pointer,
      units,
      y.pointer,
      units,
      b,
      code,
      alpha,
      0,
      room.pointer,
    );
    fused.finish(kernels, y.pointer, m, units);
  };
  if (!context.training) return { forward };

  const need = Math.max(
    kernels.gemmWorkspace(units, capacity * rowsPerImage),
    kernels.gemmWorkspace(k, units),
  );
  const space = context.scratch(need, "backward");
  const backward = (n: number): void => {
    const m = n * rowsPerImage;
    fused.backward(kernels, y.pointer, dy.pointer, m, units);
    kernels.gemm(
      1,
      0,
      k,
      units,
      m,
      x.pointer,
      k,
      dy.pointer,
      units,
      dKernel!.pointer,
      units,
      0,
      0,
      0,
      0,
      space.pointer,
    );
    if (dBias) kernels.biasGradient(m, units, dy.pointer, dBias.pointer);
    if (dx) {
      kernels.gemm(
        0,
        1,
        m,
        k,
        units,
        dy.pointer,
        units,
        kernel!.pointer,
        units,
        dx.pointer,
        k,
        0,
        0,
        0,
        0,
        space.pointer,
      );
    }
  };
  return { forward, backward };
}
