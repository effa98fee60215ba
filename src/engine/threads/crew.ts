import type { Order } from "./control.ts";
import type { Hire, Worker } from "./workers.ts";

/** The workers of one engine, from their start to their end. */
export class Crew {
  /** Hears of a worker that ended before it had to. */
  onLoss = (_reason: string): void => {};
  readonly #workers: Worker[] = [];
  #ended = false;

  /** Starts all workers but the caller; resolves when all are ready, or with the reason why they are not. */
  async muster(hire: Hire, order: Omit<Order, "share">, patience: number): Promise<string | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
    });
    try {
      const ready: Promise<void>[] = [];
      for (let share = 1; share < order.shares; share++) ready.push(this.#hire(hire, { ...order, share }));
      await Promise.race([Promise.all(ready), late]);
      return undefined;
    } catch (error) {
      this.end();
      return `this host starts no workers (${error instanceof Error ? error.message : String(error)})`;
    } finally {
      clearTimeout(timer);
    }
  }

  #hire(hire: Hire, order: Order): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = (reason: string): void => {
        reject(new Error(reason));
        if (!this.#ended) this.onLoss(`worker ${order.share}: ${reason}`);
      };
      const answer = (text: string): void => (text === "ready" ? resolve() : gone(text));
      this.#workers.push(hire(order, { answer, gone }));
    });
  }

  /** Ends the workers. */
  end(): void {
    this.#ended = true;
    for (const worker of this.#workers) worker.end();
  }
}
