/** The exact build's bytes; package.json's `imports` says where they come from. */
declare module "#wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
