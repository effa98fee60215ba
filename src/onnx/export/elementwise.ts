/** Writes functions of single elements, and those over the channels that activations are. */
import type { Activation } from "../../kernels/activation.ts";
import type { UnaryKind } from "../../layers/unary.ts";
import type { JsonNumber } from "../../options.ts";
import { activate } from "./activate.ts";
import { operatorOf, type Site } from "./file.ts";
import { fileAxis, inFileOrder } from "./layout.ts";

export function activation(site: Site): string {
  return activate(site, site.x, site.config<{ activation: Activation }>().activation);
}

export function rescaling(site: Site): string {
  const { scale, offset } = site.config<{ scale: number; offset: number }>();
  return site.op("Add", [site.op("Mul", [site.floats(), site.scalar(scale)]), site.scalar(offset)]);
}

export function logSoftmax(site: Site): string {
  const rank = site.shape.length;
  return site.op("LogSoftmax", [site.x], { axis: fileAxis(rank - 1, rank) });
}

export function prelu(site: Site): string {
  return site.op("PRelu", [site.x, site.weight("alpha", inFileOrder)]);
}

/** Writes x > 0 ? x : alpha·(e^(beta·x) − 1), which is ONNX's Elu for a beta of 1. */
function exponential(site: Site, alpha: number, beta: number): string {
  const elu = (x: string): string => site.op("Elu", [x], { alpha: { float: alpha } });
  if (beta === 1) return elu(site.x);
  const negative = site.op("Min", [site.op("Mul", [site.x, site.scalar(beta)]), site.scalar(0)]);
  return site.op("Add", [site.op("Relu", [site.x]), elu(negative)]);
}

export function unary(site: Site): string {
  const config = site.config<{ kind: UnaryKind; alpha: JsonNumber; beta: JsonNumber }>();
  const [alpha, beta] = [Number(config.alpha), Number(config.beta)];
  const { kind } = config;
  if (kind === "threshold") return site.op("ThresholdedRelu", [site.x], { alpha: { float: alpha } });
  if (kind === "clip") return site.op("Clip", [site.x, site.scalar(alpha), site.scalar(beta)]);
  return kind === "exponential" ? exponential(site, alpha, beta) : site.op(operatorOf(kind), [site.x]);
}
