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

type Kind = keyof typeof LOOPS;

const KINDS = Object.keys(LOOPS) as Kind[];

/** AssemblyScript of one loop over `count` vectors. */
function source(kind: Kind, count: number): string {
  const lines = (line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join("\n");
  return `export function ${kind}${count}(rounds: i32): f32 {
  const x = f32x4.splat(1);
  const y = f32x4.splat(0);
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
    writeFileSync(file, KINDS.flatMap((kind) => COUNTS.map((count) => source(kind, count))).join("\n"));
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
  const run = exports as unknown as Record<string, (rounds: number) => number>;
  const speed = (kind: Kind, count: number): number =>
    gigaflops(ROUNDS * count * LOOPS[kind].operations * LANES, () => run[`${kind}${count}`]!(ROUNDS));
  return () => Math.max(...KINDS.flatMap((kind) => COUNTS.map((count) => speed(kind, count))));
}
