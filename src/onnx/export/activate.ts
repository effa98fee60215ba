import { activationCode, type Activation, type ActivationName } from "../../kernels/activation.ts";
import type { Site } from "./file.ts";
import { fileAxis } from "./layout.ts";

/** Writes `y = f(x)`; `alpha` is the parameter, of those that have one. */
type Curve = (site: Site, x: string, alpha: number) => string;

const multiply = (site: Site, a: string, b: string): string => site.op("Mul", [a, b]);
const scale = (site: Site, x: string, factor: number): string => multiply(site, x, site.scalar(factor));
const shift = (site: Site, x: string, term: number): string => site.op("Add", [x, site.scalar(term)]);

const silu: Curve = (site, x) => multiply(site, x, site.op("Sigmoid", [x]));

/** x · (1 + t) / 2: of erf(x / √2) the exact GELU, and of a tanh its approximation. */
const half = (site: Site, x: string, t: string): string =>
  multiply(site, x, scale(site, shift(site, t, 1), 0.5));

const gelu: Curve = (site, x) => half(site, x, site.op("Erf", [scale(site, x, Math.sqrt(0.5))]));

/** The approximation of gelu by tanh(√(2/π)·x·(1 + 0.044715·x²)), as the kernel computes it. */
const geluTanh: Curve = (site, x) => {
  const cubic = shift(site, scale(site, multiply(site, x, x), 0.044715), 1);
  const inner = multiply(site, scale(site, x, 0.7978845608028654), cubic);
  return half(site, x, site.op("Tanh", [inner]));
};

/** Writes softmax over the channels, wherever the file has them. */
const softmax: Curve = (site, x) => {
  const rank = site.outputShape.length;
  return site.op("Softmax", [x], { axis: fileAxis(rank - 1, rank) });
};

/** Writes activations by the operators of opset 17, which has neither Gelu nor Mish yet. */
const CURVES: Record<ActivationName, Curve> = {
  linear: (_, x) => x,
  relu: (site, x) => site.op("Relu", [x]),
  leakyRelu: (site, x, alpha) => site.op("LeakyRelu", [x], { alpha: { float: alpha } }),
  sigmoid: (site, x) => site.op("Sigmoid", [x]),
  tanh: (site, x) => site.op("Tanh", [x]),
  softmax,
  relu6: (site, x) => site.op("Clip", [x, site.scalar(0), site.scalar(6)]),
  elu: (site, x, alpha) => site.op("Elu", [x], { alpha: { float: alpha } }),
  selu: (site, x) => site.op("Selu", [x]),
  hardSigmoid: (site, x, alpha) =>
    site.op("HardSigmoid", [x], { alpha: { float: alpha }, beta: { float: 0.5 } }),
  softplus: (site, x) => site.op("Softplus", [x]),
  silu,
  swish: silu,
  hardSwish: (site, x) => site.op("HardSwish", [x]),
  gelu,
  geluTanh,
  mish: (site, x) => multiply(site, x, site.op("Tanh", [site.op("Softplus", [x])])),
};

/** Writes an activation of a value of the layer's output shape; returns the name of its output. */
export function activate(site: Site, x: string, activation: Activation): string {
  const { name, alpha } = activationCode(site.name, activation);
  return CURVES[name](site, x, alpha);
}
