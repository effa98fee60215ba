/** The conformance suite, then the digests. */
import { load } from "im2row";
import { cases, runSuite } from "../../conformance/suite.ts";
import { createContext } from "./context.ts";
import { pixelsCase } from "./pixels.ts";

export async function main(print: (line: string) => void): Promise<void> {
  await runSuite(await createContext(load), print, [...cases, pixelsCase]);
}
