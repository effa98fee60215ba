/** An app like any other: it imports the package, and a file of its own that imports the package too. */
import { load } from "im2row";
import { digests } from "./digests.js";

async function run() {
  const lines = (await digests(load)).join("\n");
  document.querySelector("pre").textContent = lines;
  await fetch("/lines", { method: "POST", body: lines });
}

run();
