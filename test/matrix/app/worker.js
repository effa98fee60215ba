import { load } from "im2row";
import { digests } from "./digests.js";

async function run() {
  postMessage(await digests(load).catch((error) => [String(error)]));
}

run();
