import { isThenable } from "../stream.ts";
import type { AbortSignalLike } from "./platform.ts";

/** The ways to end a run from outside: its signal, and taking its model or engine away. */
export class Interruption {
  readonly #where: string;
  readonly #signal: AbortSignalLike | undefined;
  readonly #leaving: Set<() => void>;
  #ended: { readonly reason: unknown } | undefined;
  /** Rejects what is waited for. */
  #wake: (reason: unknown) => void = () => {};

  /** `where` names the run; `leaving` is what its engine calls before it is disposed of. */
  constructor(where: string, signal: AbortSignalLike | undefined, leaving: Set<() => void>) {
    this.#where = where;
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
    this.end(new Error(`${this.#where}: expected a live engine to the end, got one that was disposed`));

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

  /** Whether the run's signal has ended it, and its model is still there. */
  get aborted(): boolean {
    try {
      this.#signal?.throwIfAborted();
      return false;
    } catch (reason) {
      return (this.#ended?.reason ?? reason) === reason;
    }
  }

  /**
   * Waits for what a callback or a stream returned, unless the run ends before. @throws the reason then, or what the promise
   * rejects with
   */
  async wait<T>(result: T): Promise<Awaited<T>> {
    let value: unknown = result;
    if (isThenable(result)) {
      value = await new Promise<unknown>((resolve, reject) => {
        this.#wake = reject;
        // Heard in any case: what fails after the run has ended is nobody's else.
        Promise.resolve(result).then(resolve, reject);
        if (this.#ended) reject(this.#ended.reason);
      });
    }
    this.check();
    return value as Awaited<T>;
  }

  /** Hears of nothing any more. */
  release(): void {
    this.#signal?.removeEventListener?.("abort", this.#aborted);
    this.#leaving.delete(this.#engineLeft);
  }
}
