import relaxed from "../../build/wasm.relaxed.js";
import { compileOwn } from "./compile.ts";

/** `(module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd …)))`, section by section. */
const PROBE = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  [0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  [0x03, 0x02, 0x01, 0x00],
  [0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
];

/** The relaxed build, compiled, or why this host does not run it. */
export async function compileRelaxed(): Promise<WebAssembly.Module | string> {
  // Hosts have some of the relaxed instructions and not others.
  if (!WebAssembly.validate(new Uint8Array(PROBE.flat())))
    return "this host does not know the instruction f32x4.relaxed_madd";
  try {
    return await compileOwn(relaxed);
  } catch (error) {
    return String(error);
  }
}
