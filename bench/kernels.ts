/** Tables of the kernels' speed. The peak is measured before each, because machines drift. */
import { load, type Engine } from "../src/index.ts";
import { benchConv2d, CONV_CASES } from "./conv2d.ts";
import { benchGemm, GEMM_SIZES, type Result } from "./gemm.ts";
import { openPeak } from "./peak.ts";

const NAME_WIDTH = 44;

function table(title: string, top: number, results: readonly Result[]): void {
  console.log(`\n${title.padEnd(NAME_WIDTH)}  GFLOP/s  of peak  error`);
  for (const { name, gigaflops, error } of results) {
    const speed = gigaflops.toFixed(1).padStart(7);
    const share = (gigaflops / top).toFixed(2).padStart(7);
    console.log(`${name.padEnd(NAME_WIDTH)}  ${speed}  ${share}  ${error.toExponential(1)} ok`);
  }
  console.log(`${"multiply-add peak, registers only".padEnd(NAME_WIDTH)}  ${top.toFixed(1).padStart(7)}`);
}

async function withEngine(run: (engine: Engine, peak: () => number) => void): Promise<void> {
  const engine = await load();
  run(engine, openPeak());
  engine.dispose();
}

export function gemmTable(): Promise<void> {
  return withEngine(({ runtime }, peak) => {
    const results = (): Result[] => GEMM_SIZES.map((size) => benchGemm(runtime, size));
    table("matrix product", peak(), results());
  });
}

/** A table a network. */
export function conv2dTables(): Promise<void> {
  return withEngine(({ runtime }, peak) => {
    for (const network of new Set(CONV_CASES.map((spec) => spec.network))) {
      const cases = CONV_CASES.filter((spec) => spec.network === network);
      table(
        network,
        peak(),
        cases.flatMap((spec) => benchConv2d(runtime, spec)),
      );
    }
  });
}
