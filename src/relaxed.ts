/**
 * `im2row/relaxed`: relaxed math, for `load({ math: relaxed })`. A multiplication and the addition of its product may be one
 * instruction, rounded once: faster, and not the same bits on every machine.
 */
import binary from "../build/wasm.relaxed.js";
import type { RelaxedMath } from "./runtime/relaxed.ts";

const relaxed: RelaxedMath = { relaxed: binary };
export default relaxed;
export type { RelaxedMath };
