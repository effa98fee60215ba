/** The builds, embedded; scripts/wasm.ts makes them. */
declare module "*/build/wasm.js" {
  /** Its bytes, decoded anew at each call. */
  export default function exact(): Uint8Array<ArrayBuffer>;
}

declare module "*/build/wasm.relaxed.js" {
  export default function relaxed(): Uint8Array<ArrayBuffer>;
}

/** The hash of a package, bundled; scripts/abi/sha256.ts makes it. */
declare module "*/build/sha256.js" {
  /** The SHA-256 of the bytes of all parts, one behind the other. */
  export default function hash(parts: readonly Uint8Array[]): Uint8Array;
}

declare module "*/build/wasm.sha256.js" {
  /** The SHA-256 of the exact build, in hexadecimal digits. */
  const digest: string;
  export default digest;
}
