/**
 * Workspaces: memory that a kernel gets from its caller and divides. One function of the kernel lays the parts out, by
 * `take`, for its size and for its use alike, so that the two cannot differ:
 *
 *   openWorkspace(0); layOut(…); return workspaceFloats();     the exported size
 *   openWorkspace(workspace); layOut(…);                       the kernel: the parts are where `take` said
 *
 * `layOut` leaves the addresses in globals of its file, of which each thread's instance has its own. A thread's part lies
 * beside those of the others, in cache lines of its own.
 */
import { share, shares } from "./share";

/** Floats of a cache line. */
const LINE: f64 = 16;

/** The address at which the next part begins. It is a float64, which does not wrap around: what is too large for the memory is refused there. */
let top: f64 = 0;

/** Begins a workspace at an address, or at 0 to count it. */
export function openWorkspace(at: usize): void {
  top = <f64>at;
}

/** A part of `count` floats for this thread, and as many for each of the others. */
export function takeFloats(count: f64): usize {
  const own = ceil<f64>(count / LINE) * (4 * LINE);
  const part = <usize>(top + <f64>share() * own);
  top += <f64>shares() * own;
  return part;
}

/** The same of `bytes` bytes, for structs and for tables of constant size. */
export function take(bytes: usize): usize {
  return takeFloats(<f64>((bytes + 3) >> 2));
}

/** A part of `count` floats for all threads together. */
export function takeShared(count: f64): usize {
  const part = <usize>top;
  top += ceil<f64>(count / LINE) * (4 * LINE);
  return part;
}

/** Floats of all parts since the workspace was begun at 0. */
export function workspaceFloats(): f64 {
  return top / 4;
}
