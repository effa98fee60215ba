/** The digests alone: for hosts that are slow, and for what differs from another host by the loading only. */
import { load } from "im2row";
import { printDigests } from "../../conformance/suite.ts";
import { createContext } from "./context.ts";

export async function main(print: (line: string) => void): Promise<void> {
  await printDigests(await createContext(load), print);
}
