/** Forward passes and gradients of the networks' convolutions, depthwise ones among them. */
import { filterGradientJob, forwardJob, inputGradientJob, operandSizes } from "../ours.ts";
import type { ConvOperands } from "../peers/peer.ts";
import { OURS, type Result } from "../result.ts";
import { flopsOf, outputSize, shapesOf, shapeText, type ConvShape } from "../shapes.ts";
import { runCase, uniform, type Bench } from "./suite.ts";

/** Shapes by their text, with the networks that have them. */
function allShapes(networks: readonly string[]): Map<string, { shape: ConvShape; networks: string[] }> {
  const all = new Map<string, { shape: ConvShape; networks: string[] }>();
  for (const network of networks) {
    for (const shape of shapesOf(network)) {
      const known = all.get(shapeText(shape));
      if (known) known.networks.push(network);
      else all.set(shapeText(shape), { shape, networks: [network] });
    }
  }
  return all;
}

/** The kind of work, as goals pick it. */
function kindOf({ kernelSize, strides, groups, c, filters }: ConvShape): string {
  if (groups > 1) return "depthwise";
  if (kernelSize === 3 && strides === 1) return Math.min(c, filters) >= 32 ? "conv3x3" : "conv small";
  return kernelSize === 3 && filters < 8 ? "conv small" : "conv";
}

function operandsOf(shape: ConvShape): ConvOperands {
  const { x, w, b, dy } = operandSizes(shape);
  return { shape, x: uniform(x), w: uniform(w), b: uniform(b), dy: uniform(dy) };
}

/** Networks whose filter gradients jax-js computes too: it takes a second for each of the larger shapes. */
const JAX_NETWORKS = new Set(["lenet-5", "resnet-18"]);

async function forward(bench: Bench, shape: ConvShape, networks: string[], peak: number): Promise<Result> {
  const operands = operandsOf(shape);
  const kind = kindOf(shape);
  const length = (shape.kernelSize ** 2 * shape.c) / shape.groups;
  const suite = kind === "depthwise" ? kind : "conv2d";
  const given = { suite, name: shapeText(shape), kind, networks, flops: flopsOf(shape), peak, length };
  return runCase(bench, given, forwardJob(bench.engine, operands), (peer) => peer.conv2d?.(operands));
}

async function gradients(bench: Bench, shape: ConvShape, networks: string[], own: Result): Promise<void> {
  const operands = operandsOf(shape);
  const [oh, ow] = outputSize(shape);
  const common = { suite: "gradients", networks, flops: own.flops, peak: own.peak };
  const before = { own: { "own forward": own.ms[OURS]! } };
  const grouped = shape.groups > 1;
  const withJax = networks.some((network) => JAX_NETWORKS.has(network));
  const filter = {
    ...common,
    ...before,
    name: `${own.name} filter`,
    kind: grouped ? "depthwise filter" : "filter",
  };
  await runCase(
    bench,
    { ...filter, length: shape.n * oh * ow },
    filterGradientJob(bench.engine, operands),
    (peer) => (grouped || !withJax ? undefined : peer.filterGradient?.(operands)),
  );
  const input = {
    ...common,
    ...before,
    name: `${own.name} input`,
    kind: grouped ? "depthwise input" : "input",
  };
  await runCase(
    bench,
    { ...input, length: (shape.kernelSize ** 2 * shape.filters) / shape.groups },
    inputGradientJob(bench.engine, operands),
    (peer) => (grouped ? undefined : peer.inputGradient?.(operands)),
  );
}

/** All of them; the gradients on demand, right after the forward pass that they are compared with. */
export async function convolutions(bench: Bench, suites: ReadonlySet<string>): Promise<void> {
  const peak = bench.peak();
  for (const { shape, networks } of allShapes(bench.networks).values()) {
    const grouped = shape.groups > 1;
    if (!suites.has("gradients") && !suites.has(grouped ? "depthwise" : "conv2d")) continue;
    const result = await forward(bench, shape, networks, peak);
    if (suites.has("gradients")) await gradients(bench, shape, networks, result);
  }
}
