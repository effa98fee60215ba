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
export function runAtOnce<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Runs steps to their end and lets pending events run between two of them. `check` is asked before each step and throws to
 * end the run.
 */
export async function runPaced<T>(steps: Iterator<void, T>, pace: Pace, check: () => void): Promise<T> {
  for (;;) {
    check();
    const { done, value } = steps.next();
    if (done) return value;
    if (pace.due) await pace.rest();
  }
}
