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

/** Bytes of a cache line. */
const LINE: i64 = 64;
/** More floats than any memory has; parts that are larger count as this, so that sums of parts do not overflow. */
const MOST_FLOATS: f64 = 1125899906842624;

/** The address at which the next part begins, wider than addresses are: what is too large for the memory is refused by its size. */
let top: i64 = 0;

/** Begins a workspace at an address, or at 0 to count it. */
export function openWorkspace(at: usize): void {
  top = <i64>at;
}

/** Bytes of whole cache lines. */
// @ts-ignore: decorator
@inline
function lines(bytes: i64): i64 {
  return (bytes + (LINE - 1)) & -LINE;
}

// @ts-ignore: decorator
@inline
function bytesOf(floats: f64): i64 {
  return (<i64>min<f64>(floats, MOST_FLOATS)) << 2;
}

/** A part of `bytes` bytes for this thread, and as many for each of the others. */
function takeBytes(bytes: i64): usize {
  const own = lines(bytes);
  const part = <usize>(top + <i64>share() * own);
  top += <i64>shares() * own;
  return part;
}

/** A part of `count` floats for this thread, and as many for each of the others. */
export function takeFloats(count: f64): usize {
  return takeBytes(bytesOf(count));
}

/** The same of `bytes` bytes, for structs and for tables of constant size. */
export function take(bytes: usize): usize {
  return takeBytes(<i64>bytes);
}

/** A part of `count` floats for all threads together. */
export function takeShared(count: f64): usize {
  const part = <usize>top;
  top += lines(bytesOf(count));
  return part;
}

/** Floats of all parts since the workspace was begun at 0. */
export function workspaceFloats(): f64 {
  return <f64>(top >> 2);
}
