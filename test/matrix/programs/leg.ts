/** A part of the run of conformance/resumed.ts: from the checkpoint inside the bundle, since not every host has files. */
import { load } from "im2row";
import checkpoint from "checkpoint";
import { trainOn } from "../../conformance/resumed.ts";

/** With these, the run takes five legs. */
const BATCHES = 6;

export async function main(print: (line: string) => void): Promise<void> {
  const first = checkpoint.length === 0;
  const engine = await load({ threads: first ? 1 : 2 });
  const part = await trainOn(engine, first ? undefined : checkpoint, BATCHES);
  engine.dispose();
  if (typeof part === "string") print(`resumed ${part}`);
  else print(`checkpoint ${btoa(Array.from(part, (byte) => String.fromCharCode(byte)).join(""))}`);
}
