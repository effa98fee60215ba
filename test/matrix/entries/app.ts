/** The digests for the app of the bundlers, which imports the package itself. */
import type { load } from "im2row";
import { printDigests } from "../../conformance/suite.ts";
import { createContext } from "../programs/context.ts";

export async function digests(loader: typeof load): Promise<string[]> {
  const lines: string[] = [];
  await printDigests(await createContext(loader), (line) => lines.push(line));
  return lines;
}
