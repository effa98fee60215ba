/**
 * The handler for the servers of Deno and Bun, which take such an export:
 *
 *   deno serve --allow-read server.ts
 *   bun server.ts
 */
import { readFileSync } from "node:fs";
import { load } from "im2row/inference";
import { createHandler } from "./handler.ts";

const model = readFileSync(new URL("digits.safetensors", import.meta.url));

export default { fetch: createHandler(load, model) };
