import type { AbortSignalLike } from "../runtime/platform.ts";

/** The ways to end a run from outside between two steps: its signal, and taking its model or engine away. */
export class Interruption {
  readonly #signal: AbortSignalLike | undefined;
  readonly #leaving: Set<() => void>;
  #ended: { readonly reason: unknown } | undefined;
  /** Rejects what is waited for. */
  #wake: (reason: unknown) => void = () => {};

  /** `leaving` is what the engine of the run calls before it is disposed of. */
  constructor(signal: AbortSignalLike | undefined, leaving: Set<() => void>) {
    this.#signal = signal;
    this.#leaving = leaving;
    signal?.addEventListener?.("abort", this.#aborted);
    leaving.add(this.#engineLeft);
  }

  readonly #aborted = (): void => {
    try {
      this.#signal!.throwIfAborted();
    } catch (reason) {
      this.end(reason);
    }
  };

  readonly #engineLeft = (): void =>
    this.end(new Error("fit: expected a live engine to the end, got one that was disposed"));

  /** Ends the run for a reason; the first one counts. */
  end(reason: unknown): void {
    this.#ended ??= { reason };
    this.#wake(this.#ended.reason);
  }

  /** @throws the reason when the run is to end */
  check(): void {
    if (this.#ended) throw this.#ended.reason;
    this.#signal?.throwIfAborted();
  }

  /** Waits for what a callback returned, unless the run ends before. @throws the reason then, or the callback's */
  async wait(result: unknown): Promise<void> {
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === "function") {
      await new Promise<unknown>((resolve, reject) => {
        this.#wake = reject;
        // Heard in any case: what fails after the run has ended is nobody's else.
        Promise.resolve(result).then(resolve, reject);
        if (this.#ended) reject(this.#ended.reason);
      });
    }
    this.check();
  }

  /** Hears of nothing any more. */
  release(): void {
    this.#signal?.removeEventListener?.("abort", this.#aborted);
    this.#leaving.delete(this.#engineLeft);
  }
}
