import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleProgram, byHost } from "../bundle.ts";
import type { Host, Launcher, Run } from "../launcher.ts";
import { OUT } from "../paths.ts";
import { bun } from "./bun.ts";
import { chromium } from "./chromium.ts";
import { deno } from "./deno.ts";
import { node } from "./node.ts";

/** The hosts of the legs, and what their programs are bundled with. */
const LEGS = [
  [node, "process"],
  [deno, "process"],
  [bun, "process"],
  [chromium, "page"],
  [node, "process"],
] as const;

const FILE = join(OUT, "checkpoint.safetensors");

/** Goes on with the run for one leg, from what the one before left in the file, and leaves it there. */
async function runLeg([launcher, entry]: (typeof LEGS)[number], opened: (host: Host) => void): Promise<Run> {
  await bundleProgram(entry, "leg", { plugins: [byHost], alias: { checkpoint: FILE } });
  const host = await launcher.open();
  opened(host);
  const run = await host.run("leg");
  await host.close();
  const left = /^checkpoint (.+)$/.exec(run.lines[0] ?? "")?.[1];
  if (left !== undefined) writeFileSync(FILE, Buffer.from(left, "base64"));
  return run;
}

/** One run of training that moves from host to host, as bytes of a checkpoint; its digest is that of a run in one place. */
export const moved: Launcher = {
  name: LEGS.map(([{ name }]) => name).join(" → "),
  kind: "moved",
  absent: () => LEGS.map(([launcher]) => launcher.absent()).find((absent) => absent !== undefined),
  async open() {
    let host: Host | undefined;
    return {
      version: "",
      log: () => host?.log() ?? "",
      async run() {
        writeFileSync(FILE, "");
        let milliseconds = 0;
        let lines: string[] = [];
        for (const leg of LEGS) {
          const run = await runLeg(leg, (each) => (host = each));
          milliseconds += run.milliseconds;
          ({ lines } = run);
          const ends = lines[0]?.startsWith("resumed ") ?? false;
          if (ends !== (leg === LEGS.at(-1))) {
            throw new Error(
              `leg: expected the run to end with the last one, got ${JSON.stringify(lines[0])}`,
            );
          }
        }
        return { lines, milliseconds };
      },
      close: async () => host?.close(),
    };
  },
};
