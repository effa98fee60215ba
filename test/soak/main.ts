/**
 * Trains, predicts, loads, saves and disposes for as long as it is told, or trains on a stream of so many gigabytes, and fails
 * when memory grows.
 *
 *   npm run soak -- --minutes 60
 *   npm run soak -- --cycles 100 --leak      fails: one model a cycle is forgotten
 *   npm run soak -- --stream 10              a stream of 10 GB of images
 *   npm run soak -- --stream 1 --leak        fails: every batch is held
 */
import { parseArgs } from "node:util";
import type { Verdict } from "./slope.ts";
import { soak } from "./soak.ts";
import { BATCH_BYTES, MOST_ALIVE, soakStream } from "./stream.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    cycles: { type: "string" },
    stream: { type: "string" },
    leak: { type: "boolean", default: false },
  },
});

function positive(name: "minutes" | "cycles" | "stream"): number {
  const value = Number(values[name]);
  if (value > 0 && value < Infinity) return value;
  throw new Error(`--${name}: expected a number above 0, got ${values[name]}`);
}

/** Says at most once a minute how far it is. */
function progress(): (text: string) => void {
  let told = performance.now();
  return (text) => {
    if (performance.now() - told < 60_000) return;
    told = performance.now();
    console.error(text);
  };
}

async function soakCycles(): Promise<readonly Verdict[]> {
  const end = performance.now() + positive("minutes") * 60_000;
  const most = values.cycles === undefined ? undefined : positive("cycles");
  const tell = progress();
  const { cycles, verdicts } = await soak({
    leak: values.leak,
    more: (done) => (most === undefined ? performance.now() < end : done < most),
    onCycle: (done) => tell(`${done} cycles`),
  });
  console.log(`${cycles} cycles`);
  return verdicts;
}

async function soakGigabytes(): Promise<readonly Verdict[]> {
  const tell = progress();
  const { bytes, alive, rss, verdicts } = await soakStream({
    bytes: positive("stream") * 1e9,
    leak: values.leak,
    onSample: (done) => tell(`${(done / 1e9).toFixed(1)} GB`),
  });
  const megabytes = (count: number): string => `${Math.round(count / 1e6)} MB`;
  console.log(
    `${(bytes / 1e9).toFixed(2)} GB of images in batches of ${megabytes(BATCH_BYTES)}, of which ${alive.toFixed(2)} were ` +
      `alive at most; resident ${megabytes(rss.before)} before and ${megabytes(rss.most)} at most`,
  );
  const text = `alive batches  ${alive.toFixed(2)} at most, expected ${MOST_ALIVE}`;
  const grows = alive > MOST_ALIVE + 0.5;
  return [...verdicts, { measure: verdicts[0]!.measure, grows, text: `${text}${grows ? "  GROWS" : ""}` }];
}

const verdicts = await (values.stream === undefined ? soakCycles() : soakGigabytes());
for (const { text } of verdicts) console.log(text);
const failed = verdicts.filter(({ grows }) => grows).length;
console.log(`${verdicts.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
