/** The handler as a Cloudflare Worker: the host hands over the binary and the model with the code. */
import { load } from "im2row/inference";
import model from "./digits.safetensors";
import { createHandler } from "./handler.ts";

export default { fetch: createHandler(load, new Uint8Array(model)) };
