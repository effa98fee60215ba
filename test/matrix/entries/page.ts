/** A program as a module of a page: its lines go to the server. */
import { main } from "program";
import { expectNoEval } from "./refusals.ts";

const lines: string[] = [];
expectNoEval();
await main((line) => lines.push(line));
await fetch("/lines", { method: "POST", body: lines.join("\n") });
