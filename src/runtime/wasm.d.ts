/** The builds, embedded; scripts/wasm.ts makes them. */
declare module "*/build/wasm.js" {
  /** Its bytes, decoded anew at each call. */
  export default function exact(): Uint8Array<ArrayBuffer>;
}

declare module "*/build/wasm.relaxed.js" {
  export default function relaxed(): Uint8Array<ArrayBuffer>;
}

declare module "*/build/wasm.sha256.js" {
  /** The SHA-256 of the exact build, in hexadecimal digits. */
  const digest: string;
  export default digest;
}
