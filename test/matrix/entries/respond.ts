import { main } from "program";
import { expectNoCompilation, expectNoEval } from "./refusals.ts";

/** A program as the answer to a request: its lines are the body. */
export async function respond(): Promise<Response> {
  expectNoEval();
  expectNoCompilation();
  const lines: string[] = [];
  await main((line) => lines.push(line));
  return new Response(lines.join("\n"));
}
