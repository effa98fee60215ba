/**
 * Speed of the kernels on one core: `npm run bench`. Each result is compared with float64 sums before it is timed;
 * figures are medians. The peak is measured before each group, because machines drift.
 */
import { cpus } from "node:os";
import { load } from "../src/index.ts";
import { benchConv2d, CONV_CASES } from "./conv2d.ts";
import { benchGemm, GEMM_SIZES, type Result } from "./gemm.ts";
import { openPeak } from "./peak.ts";

const NAME_WIDTH = 44;

const engine = await load();
const peak = openPeak();

function group(title: string, results: () => Result[]): void {
  const top = peak();
  console.log(`\n${title.padEnd(NAME_WIDTH)}  GFLOP/s  of peak  error`);
  for (const { name, gigaflops, error } of results()) {
    const speed = gigaflops.toFixed(1).padStart(7);
    const share = (gigaflops / top).toFixed(2).padStart(7);
    console.log(`${name.padEnd(NAME_WIDTH)}  ${speed}  ${share}  ${error.toExponential(1)} ok`);
  }
  console.log(`${"multiply-add peak, registers only".padEnd(NAME_WIDTH)}  ${top.toFixed(1).padStart(7)}`);
}

console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}, one thread, exact SIMD`);
group("matrix product", () => GEMM_SIZES.map((size) => benchGemm(engine.runtime, size)));
for (const network of new Set(CONV_CASES.map((spec) => spec.network))) {
  const cases = CONV_CASES.filter((spec) => spec.network === network);
  group(network, () => cases.flatMap((spec) => benchConv2d(engine.runtime, spec)));
}
engine.dispose();
