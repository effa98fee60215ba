/** Convolutions drawn at random, and the kernels run on them with every output and workspace guarded. */
import fc from "fast-check";
import { sizesOf, type Convolution } from "../oracles/conv2d.ts";
import { geometry, type Pad } from "./convolution.ts";
import { guarded, type KernelBench } from "./wasm.ts";
import { putWindow, type Geometry } from "./window.ts";

export interface Limits {
  n: number;
  size: number;
  c: number;
  f: number;
  kernel: number;
  dilation: number;
  pad: number;
}

const upTo = (n: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: n });

export function anyGeometry(limits: Limits, channels: fc.Arbitrary<number>): fc.Arbitrary<Geometry> {
  const edge = fc.integer({ min: 0, max: limits.pad });
  const pad: fc.Arbitrary<Pad> = fc.oneof(
    fc.constantFrom<Pad[]>("same", "valid"),
    fc.record({ top: edge, bottom: edge, left: edge, right: edge }),
  );
  const sliding = {
    h: upTo(limits.size),
    w: upTo(limits.size),
    c: channels,
    kh: upTo(limits.kernel),
    kw: upTo(limits.kernel),
    strideH: upTo(3),
    strideW: upTo(3),
    dilationH: upTo(limits.dilation),
    dilationW: upTo(limits.dilation),
    pad,
  };
  return fc
    .record(sliding)
    .map(geometry)
    .filter((g) => g !== undefined);
}

/** Any convolution within the limits: plain, grouped, or with one group a channel. */
export function anyConv2d(limits: Limits): fc.Arbitrary<Convolution> {
  const groups = fc.oneof(
    { weight: 2, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: limits.c }) },
  );
  return groups.chain((count) =>
    fc.record({
      g: anyGeometry(
        limits,
        upTo(Math.floor(limits.c / count)).map((cg) => cg * count),
      ),
      n: upTo(limits.n),
      f: upTo(Math.max(1, Math.floor(limits.f / count))).map((fg) => fg * count),
      groups: fc.constant(count),
    }),
  );
}

export interface Epilogue {
  b?: Float32Array | undefined;
  activation?: number;
  alpha?: number;
}

export function runForward(
  bench: KernelBench,
  { g, n, f, groups }: Convolution,
  x: Float32Array,
  w: Float32Array,
  { b, activation = 0, alpha = 0 }: Epilogue = {},
): Float32Array {
  const { kernels } = bench;
  bench.reset();
  const window = putWindow(bench, g);
  const y = guarded(bench, n * g.oh * g.ow * f);
  const workspace = guarded(bench, kernels.conv2dForwardWorkspace(window, groups));
  const packed = guarded(bench, kernels.conv2dPackedFilters(window, f, groups));
  kernels.conv2dPackFilters(window, f, groups, bench.put(w), packed.ptr);
  const [px, pb] = [bench.put(x), b ? bench.put(b) : 0];
  kernels.conv2dForward(window, n, f, groups, px, packed.ptr, pb, y.ptr, activation, alpha, workspace.ptr);
  y.check();
  packed.check();
  workspace.check();
  return y.f32();
}

export function runFilterGradient(
  bench: KernelBench,
  conv: Convolution,
  x: Float32Array,
  dy: Float32Array,
): Float32Array {
  const { kernels } = bench;
  const { g, n, f, groups } = conv;
  bench.reset();
  const window = putWindow(bench, g);
  const dw = guarded(bench, sizesOf(conv).w);
  const workspace = guarded(bench, kernels.conv2dBackpropFilterWorkspace(window, f, groups));
  const [px, pdy] = [bench.put(x), bench.put(dy)];
  kernels.conv2dBackpropFilter(window, n, f, groups, px, pdy, dw.ptr, workspace.ptr);
  dw.check();
  workspace.check();
  return dw.f32();
}

export type Route = "Col2im" | "Flipped";

export function runInputGradient(
  bench: KernelBench,
  route: Route,
  conv: Convolution,
  dy: Float32Array,
  w: Float32Array,
): Float32Array {
  const { kernels } = bench;
  const { g, n, f, groups } = conv;
  bench.reset();
  const window = putWindow(bench, g);
  const dx = guarded(bench, sizesOf(conv).x);
  const workspace = guarded(bench, kernels[`conv2dBackpropInput${route}Workspace`](window, f, groups));
  const [pdy, pw] = [bench.put(dy), bench.put(w)];
  kernels[`conv2dBackpropInput${route}`](window, n, f, groups, pdy, pw, dx.ptr, workspace.ptr);
  dx.check();
  workspace.check();
  return dx.f32();
}
