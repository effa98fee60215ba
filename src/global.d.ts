/** `im2row/im2row.global.js`: the API as a global, for script tags and sandboxes. */
import type * as api from "./index.ts";

declare global {
  var im2row: typeof api;
}
