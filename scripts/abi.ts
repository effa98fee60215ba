/**
 * Writes the ABI of the kernels, as their sources declare it, to `build/`: what `src/` calls them by; what threads run; and a hash.
 *
 *   npm run abi
 *
 * It takes a fraction of a second, and writes nothing that is there already; tests, checks and the build run it first. npm
 * bundles it before it runs, since tsx would translate all of AssemblyScript.
 */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAbi } from "./abi/read.ts";
import { sha256Text } from "./abi/sha256.ts";
import { tableText } from "./abi/table.ts";
import { threadsText } from "./abi/threads.ts";
import { workText } from "./abi/work.ts";
import { writeBinaryDigest } from "./binaryDigest.ts";
import { writeChanged } from "./writeChanged.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Writes `build/kernels.ts`, `build/work.ts` and `build/threads.ts`, `build/sha256.js`, and what is told of the binary if there is one. */
export default function writeAbi(): void {
  const abi = readAbi(`${root}assembly`);
  mkdirSync(`${root}build`, { recursive: true });
  writeChanged(`${root}build/kernels.ts`, tableText(abi));
  writeChanged(`${root}build/work.ts`, workText(abi));
  writeChanged(`${root}build/threads.ts`, threadsText(`${root}src/runtime/threads/scripts`));
  writeChanged(`${root}build/sha256.js`, sha256Text(root));
  writeBinaryDigest(`${root}build`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeAbi();
