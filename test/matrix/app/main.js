/** An app like any other: it imports the package, and a file of its own that imports the package too. */
import { load } from "im2row";
import { digests } from "./digests.js";
import { digestsInWorker } from "./inWorker.js";

async function run() {
  const lines = await digests(load);
  const others = (await digestsInWorker?.()) ?? lines;
  if (others.join() !== lines.join()) throw new Error(`expected ${lines} in a worker too, got ${others}`);
  document.querySelector("pre").textContent = lines.join("\n");
  await fetch("/lines", { method: "POST", body: lines.join("\n") });
}

run();
