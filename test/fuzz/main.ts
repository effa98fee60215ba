/**
 * Runs the command of `command.ts` as a bundle: its readers use the cases of all layers, which are found by a pattern that
 * bundlers expand and Node does not know.
 */
import { pathToFileURL } from "node:url";
import { bundleCommand } from "./bundle.ts";

await import(pathToFileURL(await bundleCommand()).href);
