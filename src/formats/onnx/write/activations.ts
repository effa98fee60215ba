import { activationCode, type Activation, type ActivationName } from "../../../engine/activation.ts";
import type { Site } from "./file.ts";
import { fileAxis } from "./layout.ts";

/** Writes `y = f(x)`; `alpha` is the parameter, of those that have one. */
type Curve = (site: Site, x: string, alpha: number) => string;

/** An operator of one input. */
const operator =
  (opType: string): Curve =>
  (site, x) =>
    site.op(opType, [x]);

const withAlpha =
  (opType: string): Curve =>
  (site, x, alpha) =>
    site.op(opType, [x], { alpha: { float: alpha } });

/** x times a curve of x. */
const gated =
  (gate: Curve): Curve =>
  (site, x, alpha) =>
    site.op("Mul", [x, gate(site, x, alpha)]);

/** (1 + curve) · x / 2. */
const halved = (curve: Curve): Curve =>
  gated((site, x, alpha) => {
    const sum = site.op("Add", [curve(site, x, alpha), site.scalar(1)]);
    return site.op("Mul", [sum, site.scalar(0.5)]);
  });

const silu = gated(operator("Sigmoid"));

/** 1 / √2. */
const ROOT_HALF = 0.7071067811865476;

/** erf(x / √2). */
const normal: Curve = (site, x) => site.op("Erf", [site.op("Mul", [x, site.scalar(ROOT_HALF)])]);

/** tanh(√(2/π)·x·(1 + 0.044715·x²)), as the kernel has it. */
const normalByTanh: Curve = (site, x) => {
  const square = site.op("Mul", [x, x]);
  const cubic = site.op("Mul", [square, site.scalar(0.044715)]);
  const factor = site.op("Add", [cubic, site.scalar(1)]);
  const scaled = site.op("Mul", [x, site.scalar(0.7978845608028654)]);
  return site.op("Tanh", [site.op("Mul", [scaled, factor])]);
};

/** By the operators of opset 17, which has neither Gelu nor Mish yet. */
const CURVES: Record<ActivationName, Curve> = {
  linear: (_, x) => x,
  relu: operator("Relu"),
  leakyRelu: withAlpha("LeakyRelu"),
  sigmoid: operator("Sigmoid"),
  tanh: operator("Tanh"),
  // Over the channels, wherever the file has them.
  softmax: (site, x) => {
    const rank = site.outputShape.length;
    return site.op("Softmax", [x], { axis: fileAxis(rank - 1, rank) });
  },
  relu6: (site, x) => site.op("Clip", [x, site.scalar(0), site.scalar(6)]),
  elu: withAlpha("Elu"),
  selu: operator("Selu"),
  hardSigmoid: (site, x, alpha) =>
    site.op("HardSigmoid", [x], { alpha: { float: alpha }, beta: { float: 0.5 } }),
  softplus: operator("Softplus"),
  silu,
  swish: silu,
  hardSwish: operator("HardSwish"),
  gelu: halved(normal),
  geluTanh: halved(normalByTanh),
  mish: gated((site, x) => site.op("Tanh", [site.op("Softplus", [x])])),
};

/** Writes an activation of a value of the layer's output shape; returns the name of its output. */
export function activate(site: Site, x: string, activation: Activation): string {
  const { name, alpha } = activationCode(site.name, activation);
  return CURVES[name](site, x, alpha);
}
