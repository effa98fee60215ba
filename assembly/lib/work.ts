/**
 * The work of a call, by which the engine decides whether to wake its threads: multiply-adds of a matrix product, and for
 * the rest as many as take the same time.
 *
 * A kernel that threads share says its work in its docstring, as `@split` and an expression: of its parameters, of fields
 * of structs among them, of the numbers behind an address (`intAt`), and of what is tagged `@work` here or beside the
 * kernel. No kernel calls these functions: `scripts/abi.ts` copies them to TypeScript, each one expression.
 */
import { Window } from "./window";

/** Multiply-adds in the time that one element takes to be copied or added. @work */
export const COPY: f64 = 3;
/** To be added where its neighbour is not. @work */
export const SCATTER: f64 = 8;
/** To be divided. @work */
export const DIVIDE: f64 = 12;
/** To go through `exp`. @work */
export const EXP: f64 = 25;
/** To go through `log`. @work */
export const LOG: f64 = 700;
/** To go through `pow`. @work */
export const POWER: f64 = 3000;
/** A product of a depthwise convolution, which reads as much as it multiplies. @work */
export const DEPTHWISE: f64 = 2;
/** A filter on its way to the 36 values of Winograd's algorithm. @work */
export const TRANSFORM: f64 = 100;

/** Output pixels of `n` images. @work */
export function pixels(window: Window, n: f64): f64 {
  return n * window.oh * window.ow;
}

/** Elements of a patch. @work */
export function patch(window: Window): f64 {
  return window.c * window.kh * window.kw;
}

/** Elements of the unfolded matrix of `n` images. @work */
export function unfolded(window: Window, n: f64): f64 {
  return pixels(window, n) * patch(window);
}
