/** Matrix products and pooling. */
import { matMulJob, poolJob } from "../ours.ts";
import type { PoolShape } from "../peers/peer.ts";
import { runCase, uniform, type Bench } from "./suite.ts";

/** `m`, `n`, `k`. */
const SIZES = [
  [64, 64, 64],
  [128, 128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [100, 100, 100],
  [127, 129, 131],
  [1000, 24, 100],
  [3136, 64, 576],
  [49, 512, 4608],
  [1, 120, 400],
  [1, 1000, 2048],
  [33, 17, 900],
] as const;

export async function products(bench: Bench): Promise<void> {
  const peak = bench.peak();
  for (const size of SIZES) {
    const [m, n, k] = size;
    const [a, b] = [uniform(m * k), uniform(k * n)];
    const name = `gemm ${size.join("×")}`;
    const given = { suite: "gemm", name, kind: "gemm", networks: [], flops: 2 * m * n * k, peak, length: k };
    await runCase(bench, given, matMulJob(bench.engine, size, a, b), (peer) => peer.matMul?.(m, n, k, a, b));
  }
}

/** Poolings of LeNet-5, ResNet, VGG-16 and SqueezeNet, and the last one of a network. */
const POOLS: readonly PoolShape[] = [
  { kind: "max", n: 64, h: 28, w: 28, c: 6, poolSize: 2, strides: 2 },
  { kind: "max", n: 64, h: 10, w: 10, c: 16, poolSize: 2, strides: 2 },
  { kind: "max", n: 1, h: 112, w: 112, c: 64, poolSize: 3, strides: 2 },
  { kind: "max", n: 1, h: 224, w: 224, c: 64, poolSize: 2, strides: 2 },
  { kind: "max", n: 1, h: 27, w: 27, c: 256, poolSize: 3, strides: 2 },
  { kind: "average", n: 1, h: 56, w: 56, c: 64, poolSize: 2, strides: 2 },
  { kind: "average", n: 1, h: 7, w: 7, c: 512, poolSize: 7, strides: 7 },
];

export async function pooling(bench: Bench): Promise<void> {
  const peak = bench.peak();
  for (const shape of POOLS) {
    const { kind, n, h, w, c, poolSize, strides } = shape;
    const x = uniform(n * h * w * c);
    const image = `${n > 1 ? `${n}×` : ""}${h}×${w}×${c}`;
    const name = `${kind} pool ${image} ${poolSize}×${poolSize} s${strides}`;
    const given = { suite: "pooling", name, kind: "pool", networks: [], flops: 0, peak };
    await runCase(bench, { ...given, length: poolSize ** 2 }, poolJob(bench.engine, shape, x), (peer) =>
      peer.pool?.(shape, x),
    );
  }
}
