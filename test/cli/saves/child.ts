/** Saves a file and is killed before a call: `node child.mjs <file> <bytes> <call>`. */
import { readFileSync } from "node:fs";
import { save } from "../../../src/cli/save.ts";
import { faulty } from "./faulty.ts";

const [path, input, at] = process.argv.slice(2) as [string, string, string];
await save(path, readFileSync(input), { files: faulty(Number(at), "kill").files });
