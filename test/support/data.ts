/** Data of others that tests take from a folder outside of the repository; CONTRIBUTING.md tells what is in it. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const DATA =
  process.env["IM2ROW_DATA"] === undefined
    ? fileURLToPath(new URL("../../../shared", import.meta.url))
    : resolve(process.env["IM2ROW_DATA"]);

/** For the title of what is skipped, so that it is seen: what is not in the folder. */
export const skipped = (what: string): string =>
  ` (skipped: the folder of test data has no ${what}, see CONTRIBUTING.md)`;
