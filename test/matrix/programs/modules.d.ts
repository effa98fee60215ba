/** bundle.ts puts modules in the place of these names. */

declare module "program" {
  export function main(print: (line: string) => void): Promise<void>;
}

/** The checkpoint that the leg before left; empty before the first one. */
declare module "checkpoint" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

declare module "../../goldens/*.safetensors" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
