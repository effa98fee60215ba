import { isThenable, type Step } from "../stream.ts";
import type { Interruption } from "./interruption.ts";

/** Longest time in milliseconds that a long run keeps the thread before it lets other work through. */
const SLICE = 12;

declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Lets pending events run: timers, input, drawing. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else if (typeof MessageChannel === "function") {
      // setTimeout waits 4 ms in browsers; a message does not.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}

/** Says when a long run should hand control back to the event loop: at most every `SLICE` milliseconds. */
export class Pace {
  // The time of day may be set back; this clock may not.
  #last = performance.now();

  /**
   * Whether it is time to rest. Apart from `rest`, because a promise that waits for nothing is garbage all the same.
   */
  get due(): boolean {
    return performance.now() - this.#last >= SLICE;
  }

  /** Lets pending events run. */
  async rest(): Promise<void> {
    await nextTask();
    this.#last = performance.now();
  }
}

/** Runs steps to their end without a break. */
export function runAtOnce<T>(steps: Iterator<Step, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value as T;
  }
}

/**
 * Runs steps to their end and lets pending events run between two of them. A promise that a step hands out is waited for, and
 * its value goes to the next one. The interruption ends the run before a step or while it waits.
 */
export async function runPaced<T>(
  steps: Generator<Step, T, unknown>,
  pace: Pace,
  interruption: Interruption,
): Promise<T> {
  let input: unknown;
  try {
    for (;;) {
      interruption.check();
      const { done, value } = steps.next(input);
      if (done) return value;
      input = isThenable(value) ? await interruption.wait(value) : undefined;
      if (pace.due) await pace.rest();
    }
  } finally {
    // Steps that did not come to their end close what they read.
    steps.return(undefined as T);
  }
}
