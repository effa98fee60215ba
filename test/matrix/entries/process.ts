/** A program as a process: lines to the standard output; an error is an exit code. */
import { main } from "program";

await main((line) => console.log(line));
