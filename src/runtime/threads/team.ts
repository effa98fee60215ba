import type { Heap } from "../heap.ts";
import {
  ARGUMENTS,
  ASLEEP,
  CALLER_ASLEEP,
  EPOCH,
  FAILED,
  KERNEL,
  LOST,
  MOST_ARGUMENTS,
  PENDING,
  REASON,
  RESULT,
  STOP,
} from "./control.ts";
import { SIZES, SPLIT, type Work } from "../../../build/work.ts";

/** A kernel, whatever its signature: each takes numbers and flags, and returns a number or nothing. */
export type Kernel = (...args: number[]) => number | undefined;
export type AnyKernels = Record<string, Kernel>;

/** Looks at the count of pending workers between two looks at the clock. */
const LOOKS = 4096;
/** Milliseconds that this thread waits awake beyond the time of its own share. */
const AWAKE = 0.05;
/**
 * The last resort where the host tells nobody of a worker's end: a worker is given up when it takes as many milliseconds
 * more than this thread's share, and as many times its time. Longer than a machine that is merely slow takes.
 */
const TIMEOUT = 30_000;
const TIMEOUT_TIMES = 20;
/** No more milliseconds count between two looks at the clock: longer ones are those of a machine that slept. */
const LONGEST_LOOK = 50;

/** Whether this thread may sleep: a page's may not. */
const MAY_SLEEP = ((): boolean => {
  try {
    return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1) === "not-equal";
  } catch {
    return false;
  }
})();

export interface TeamParts {
  /** The instance that computes all of a kernel, and the one that computes this thread's share. */
  readonly solo: AnyKernels;
  readonly own: AnyKernels;
  readonly heap: Heap;
  readonly control: SharedArrayBuffer;
  /** Threads, the calling one included. */
  readonly shares: number;
  /** Names of the kernels that are split; a kernel's number is its place. */
  readonly names: readonly string[];
  /** Work from which a kernel is split. */
  readonly minWork: number;
}

/** The calling thread's side: hands kernels out to the workers, computes a share of its own, and waits for theirs. */
export class Team {
  /** The kernels as the rest of the package calls them. */
  readonly kernels: AnyKernels = {};
  readonly #parts: TeamParts;
  readonly #control: Int32Array;
  readonly #args: Float64Array;

  constructor(parts: TeamParts) {
    this.#parts = parts;
    this.#control = new Int32Array(parts.control);
    this.#args = new Float64Array(parts.control, ARGUMENTS * 8);
    // A workspace has room for all shares; a kernel that runs alone uses the first.
    Object.assign(this.kernels, parts.solo);
    for (const name of SIZES) this.kernels[name] = parts.own[name]!;
    for (const [number, name] of parts.names.entries()) this.kernels[name] = this.#split(number, name);
  }

  /**
   * A kernel that runs alone or split, by its work. The parameters have names because a list of them would be garbage
   * at each call; a kernel does not see those that it has not.
   */
  #split(number: number, name: string): Kernel {
    const { solo, own, heap, minWork } = this.#parts;
    const [alone, share, work] = [solo[name]!, own[name]!, (SPLIT as Record<string, Work<number[]>>)[name]!];
    if (alone.length > MOST_ARGUMENTS) {
      throw new Error(`${name}: expected at most ${MOST_ARGUMENTS} arguments, got ${alone.length}`);
    }
    return (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) => {
      if (work(heap.ints, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) < minWork) {
        return alone(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
      }
      this.#expectAll(name);
      this.#write(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
      const began = performance.now();
      this.#handOut(number);
      let result: number | undefined;
      try {
        result = share(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
      } catch (error) {
        this.#wait(name, began);
        throw this.lose(`${name} failed: ${String(error)}`, error);
      }
      this.#wait(name, began);
      return result === undefined ? undefined : result & Atomics.load(this.#control, RESULT);
    };
  }

  #write: Kernel = (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t) => {
    const args = this.#args;
    args[0] = a;
    args[1] = b;
    args[2] = c;
    args[3] = d;
    args[4] = e;
    args[5] = f;
    args[6] = g;
    args[7] = h;
    args[8] = i;
    args[9] = j;
    args[10] = k;
    args[11] = l;
    args[12] = m;
    args[13] = n;
    args[14] = o;
    args[15] = p;
    args[16] = q;
    args[17] = r;
    args[18] = s;
    args[19] = t;
    return undefined;
  };

  #handOut(number: number): void {
    const control = this.#control;
    control[KERNEL] = number;
    control[RESULT] = 1;
    control[PENDING] = this.#parts.shares - 1;
    this.#wake();
  }

  /** Has the workers look at the block. The number of sleepers is read after the epoch is set: see the worker. */
  #wake(): void {
    Atomics.add(this.#control, EPOCH, 1);
    if (Atomics.load(this.#control, ASLEEP) > 0) Atomics.notify(this.#control, EPOCH);
  }

  /**
   * Waits for the workers: awake as long as they should take, then asleep if the host lets it. @throws Error when one
   * fails.
   */
  #wait(name: string, began: number): void {
    const control = this.#control;
    let [own, waited, last] = [0, 0, 0];
    for (let looks = 1; Atomics.load(control, PENDING) > 0; looks++) {
      this.#expectAll(name);
      if (looks % LOOKS !== 0) continue;
      const now = performance.now();
      if (last === 0) own = now - began;
      else waited += Math.min(now - last, LONGEST_LOOK);
      last = now;
      if (waited > Math.max(TIMEOUT, TIMEOUT_TIMES * own)) {
        throw this.lose(`${name}: no end of a worker's share after ${Math.round(waited)} ms`);
      }
      if (MAY_SLEEP && waited > own + AWAKE) this.#sleep();
    }
    if (control[FAILED] !== 0) {
      const codes = control.subarray(REASON + 1, REASON + 1 + control[REASON]!);
      const text = String.fromCharCode(...codes);
      throw this.lose(`${name} failed on thread ${control[FAILED]! + 1} of ${this.#parts.shares}: ${text}`);
    }
  }

  /** @throws Error when the watcher saw a worker end */
  #expectAll(name: string): void {
    const lost = Atomics.load(this.#control, LOST);
    if (lost > 0) throw this.lose(`${name}: thread ${lost + 1} of ${this.#parts.shares} ended`);
  }

  /** Until the last worker is done or lost, or a moment: what spins may be what keeps a worker from its processor. */
  #sleep(): void {
    const control = this.#control;
    Atomics.store(control, CALLER_ASLEEP, 1);
    const pending = Atomics.load(control, PENDING);
    if (pending > 0) Atomics.wait(control, PENDING, pending, LONGEST_LOOK);
    Atomics.store(control, CALLER_ASLEEP, 0);
  }

  /** Replaces the kernels when a worker is gone by ones that refuse. Returns their error. */
  lose(reason: string, cause?: unknown): Error {
    const error = (): Error =>
      new Error(`engine: expected all of its threads alive, got a failure (${reason}); load a new engine`, {
        cause,
      });
    this.#refuse(error);
    return error();
  }

  /** Makes every kernel throw. */
  #refuse(error: () => Error): void {
    for (const name of Object.keys(this.kernels)) {
      this.kernels[name] = () => {
        throw error();
      };
    }
  }

  /** Has the workers end by themselves, and kernels refuse. */
  stop(): void {
    this.#refuse(() => new Error("engine: expected a live engine, got one that was disposed"));
    Atomics.store(this.#control, STOP, 1);
    this.#wake();
  }
}
