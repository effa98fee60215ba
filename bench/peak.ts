import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gigaflops } from "./timing.ts";

const ROUNDS = 40_000;
/** Four lanes, each with a multiplication or an addition. */
const LANES = 4;

/** Numbers of vectors that hide the latencies and fit into the registers beside two constants. */
const COUNTS = [8, 10, 12, 13];

/** The two kinds of loops: what one vector does in each round, and how many operations that is. */
const LOOPS = {
  /** Each vector is multiplied and added to: `c = c·x + y`. */
  chained: { operations: 2, line: (i: number) => `c${i} = f32x4.add(f32x4.mul(c${i}, x), y);` },
  /** Half of the vectors are multiplied, the other half added to: no operation waits for one of the other kind. */
  separate: {
    operations: 1,
    line: (i: number) => `c${i} = f32x4.${i % 2 === 0 ? "mul" : "add"}(c${i}, x);`,
  },
} as const;

/** Engines differ in whether constants or parameters stay in registers. */
const OPERANDS = { constants: ["1", "0"], parameters: ["one", "zero"] } as const;

type Kind = keyof typeof LOOPS;
type Source = keyof typeof OPERANDS;

/** All loops. */
const VARIANTS = (Object.keys(LOOPS) as Kind[]).flatMap((kind) =>
  (Object.keys(OPERANDS) as Source[]).flatMap((from) => COUNTS.map((count) => ({ kind, from, count }))),
);
type Variant = (typeof VARIANTS)[number];

const nameOf = ({ kind, from, count }: Variant): string => `${kind}_${from}_${count}`;

/** AssemblyScript of one loop. */
function source(variant: Variant): string {
  const { kind, from, count } = variant;
  const [x, y] = OPERANDS[from];
  const lines = (line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");
  return `export function ${nameOf(variant)}(rounds: i32, one: f32, zero: f32): f32 {
  const x = f32x4.splat(${x});
  const y = f32x4.splat(${y});
  ${lines((i) => `let c${i} = f32x4.splat(${i});`)}
  for (let i = rounds; i > 0; i--) {
    ${lines(LOOPS[kind].line)}
  }
  return ${Array.from({ length: count }, (_, i) => `f32x4.extract_lane(c${i}, 0)`).join(" + ")};
}
`;
}

/** Compiles the loops with the package's compiler and settings. */
function compile(): WebAssembly.Module {
  const folder = mkdtempSync(join(tmpdir(), "im2row-peak-"));
  try {
    const [file, config, binary] = ["peak.ts", "asconfig.json", "peak.wasm"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    writeFileSync(file, VARIANTS.map(source).join("\n"));
    writeFileSync(config, "{}");
    const flags = ["--config", config, "--enable", "simd", "--runtime", "stub", "-O3", "--noAssert"];
    execFileSync("npx", ["--no-install", "asc", file, ...flags, "-o", binary], { stdio: "pipe" });
    return new WebAssembly.Module(readFileSync(binary));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * A function that measures the multiply-add peak of this engine in GFLOP/s: exact SIMD, registers only, the best of
 * several loops, because engines and processors differ in which one runs fastest.
 */
export function openPeak(): () => number {
  const imports = { env: { abort: () => undefined } };
  const { exports } = new WebAssembly.Instance(compile(), imports);
  const run = exports as unknown as Record<string, (rounds: number, one: number, zero: number) => number>;
  const speed = (variant: Variant): number => {
    const flops = ROUNDS * variant.count * LOOPS[variant.kind].operations * LANES;
    return gigaflops(flops, () => run[nameOf(variant)]!(ROUNDS, 1, 0));
  };
  return () => Math.max(...VARIANTS.map(speed));
}
