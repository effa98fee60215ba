/** The exact build, embedded; scripts/build.ts makes it. */
declare module "*/build/wasm.js" {
  /** Its bytes, decoded anew at each call. */
  export default function exact(): Uint8Array<ArrayBuffer>;
}
