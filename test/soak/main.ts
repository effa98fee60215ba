/**
 * Trains, predicts, loads, saves and disposes for as long as it is told, and fails when memory grows.
 *
 *   npm run soak -- --minutes 60
 *   npm run soak -- --cycles 100 --leak      fails: one model a cycle is forgotten
 */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    cycles: { type: "string" },
    leak: { type: "boolean", default: false },
  },
});

function positive(name: "minutes" | "cycles"): number {
  const value = Number(values[name]);
  if (value > 0 && value < Infinity) return value;
  throw new Error(`--${name}: expected a number above 0, got ${values[name]}`);
}

const end = performance.now() + positive("minutes") * 60_000;
const most = values.cycles === undefined ? undefined : positive("cycles");
let told = performance.now();

const { cycles, verdicts } = await soak({
  leak: values.leak,
  more: (done) => (most === undefined ? performance.now() < end : done < most),
  onCycle(done) {
    if (performance.now() - told < 60_000) return;
    told = performance.now();
    console.error(`${done} cycles`);
  },
});
for (const { text } of verdicts) console.log(text);
const failed = verdicts.filter(({ grows }) => grows).length;
console.log(`${cycles} cycles`);
console.log(`${verdicts.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
