/** bundle.ts puts modules in the place of these names. */

declare module "program" {
  export function main(print: (line: string) => void): Promise<void>;
}

declare module "../../goldens/*.safetensors" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
