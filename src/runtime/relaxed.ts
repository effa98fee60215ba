/** The math of `load({ math })`. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { compileOwn, isBytes, type Binary } from "./compile.ts";

/** What the entry `im2row/relaxed` exports. */
export interface RelaxedMath {
  /** The build for relaxed math. */
  readonly relaxed: Binary;
}

/** `(module (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd …)))`, section by section. */
const PROBE = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  [0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  [0x03, 0x02, 0x01, 0x00],
  [0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
];

/** The build for relaxed math that was asked for; undefined for exact math. @throws OptionError */
export function checkMath(math: unknown): Binary | undefined {
  if (math === "exact") return undefined;
  const { relaxed } = (math ?? {}) as Partial<RelaxedMath>;
  if (relaxed) return relaxed;
  throw new OptionError(
    `load: math: expected "exact" or relaxed math (import relaxed from "im2row/relaxed"), got ${show(math)}`,
  );
}

/** Why this host does not run the build for relaxed math; undefined when it does. */
export async function relaxedFault(relaxed: Binary): Promise<string | undefined> {
  if (!isBytes(relaxed)) return undefined;
  // Hosts have some of the relaxed instructions and not others.
  if (!WebAssembly.validate(new Uint8Array(PROBE.flat()))) {
    return "this host does not know the instruction f32x4.relaxed_madd";
  }
  return compileOwn(relaxed).then(
    () => undefined,
    (error: unknown) => String(error),
  );
}
