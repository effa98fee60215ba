/** A `Data` module of wrangler.jsonc. */
declare module "*.safetensors" {
  const bytes: ArrayBuffer;
  export default bytes;
}
