/** `im2row/im2row.global.js`: the API as a global, for script tags and sandboxes. */
export {};

declare global {
  // oxlint-disable-next-line no-var
  var im2row: typeof import("./index.ts");
}
