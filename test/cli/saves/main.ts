/**
 * Lets saves fail and says how they ended: `npm run test:saves -- --count 1000 --seed 1`. The exit code is 1 if any left
 * something else than the old file or the new one.
 */
import { parseArgs } from "node:util";
import { runTrials } from "./trials.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
});
const { trials, failed, killed, saved, faults, disk } = await runTrials(
  Number(values.count),
  Number(values.seed),
);
for (const fault of faults) console.error(fault);
const missing = disk ? "" : " (none on a full disk: no disk may be mounted here)";
console.log(
  `${trials} saves, ${failed} failed, ${killed} killed, ${saved} done${missing}: ${faults.length} faults`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
