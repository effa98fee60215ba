/**
 * The block of shared memory by which the calling thread hands out kernels: int32 places, then the arguments as float64.
 * What different threads write lies in different cache lines.
 */

/** Counts the kernels handed out; workers wait for it to change. */
export const EPOCH = 0;
/** Number of the kernel, as in the list of names. */
export const KERNEL = 1;
/** 1 when workers have to end. */
export const STOP = 2;
/** Workers that still compute. */
export const PENDING = 16;
/** Workers that sleep and have to be woken. */
export const ASLEEP = 32;
/** 1 while the calling thread sleeps, and the last worker has to wake it. */
export const CALLER_ASLEEP = 33;
/** 0 as soon as a worker's kernel has returned 0. */
export const RESULT = 48;
/** Number of a worker whose kernel trapped, or 0. */
export const FAILED = 49;
/** Length of the text that says why, as far as there is room, and its UTF-16 codes. */
export const REASON = 50;
export const REASON_ROOM = 64;
/**
 * Number of a worker that ended before it had to, or 0; the watcher writes it, and the calling thread looks at it
 * often.
 */
export const LOST = 116;
/** The first argument, counted in float64. */
export const ARGUMENTS = 64;
/** Most arguments of a kernel. */
export const MOST_ARGUMENTS = 20;

export const CONTROL_BYTES = (ARGUMENTS + MOST_ARGUMENTS) * 8;

/**
 * The first message of the watcher, with the other end of each worker's line, which closes when the worker ends,
 * whatever ended it.
 */
export interface Watch {
  readonly control: SharedArrayBuffer;
  readonly lines: readonly MessagePort[];
}

/** The first message of a worker. */
export interface WorkerInit {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly share: number;
  readonly shares: number;
  /** Names of the kernels that can be handed out. */
  readonly names: readonly string[];
  /** Its end of the line to the watcher: nothing is sent. */
  readonly line: MessagePort;
}
