/**
 * Kills training by SIGKILL at random times, a third of them inside the write of a checkpoint, resumes it and compares the weights
 * at its end with those of a run that nothing interrupts: `npm run test:kills -- --count 200 --seed 1`. The exit code is 1 if
 * any differ.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { runTrials } from "./trials.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
  },
});
const [count, seed, jobs] = [values.count, values.seed, values.jobs].map(Number) as [number, number, number];
const started = performance.now();
/** The proof takes minutes: each tenth of it is told. */
const tell = (done: number): void => {
  if (done % Math.ceil(count / 10) > 0) return;
  console.error(`${done} of ${count} runs after ${Math.round((performance.now() - started) / 1000)} s`);
};
const { passed, faults, kills, inWrites, byPart } = await runTrials(count, seed, jobs, tell);
for (const fault of faults) console.error(fault);
console.log(`${kills} kills, ${inWrites} of them inside a write; by tenths of the run: ${byPart.join(" ")}`);
console.log(`${passed} passed, ${faults.length} failed`);
process.exitCode = faults.length > 0 ? 1 : 0;
