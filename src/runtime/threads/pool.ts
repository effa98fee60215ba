import type { WorkerInit, Watch } from "./control.ts";
import { WATCHER, WORKER } from "../../../build/threads.ts";
import type { Spawn, Worker } from "./workers.ts";

/** The part of the first message that all workers have in common. */
type PoolInit = Omit<WorkerInit, "share" | "line">;

/** The workers of one engine, from their start to their end. */
export class WorkerPool {
  /** Hears of a worker that ended before it had to. */
  onLoss = (_reason: string): void => {};
  readonly #workers: Worker[] = [];
  #ended = false;

  /** Starts all workers but the caller; resolves when all are ready, or with the reason why they are not. */
  async startWorkers(spawn: Spawn, init: PoolInit, timeout: number): Promise<string | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      // It keeps the process alive meanwhile, which workers do not.
      timer = setTimeout(() => reject(new Error(`no answer within ${timeout} ms`)), timeout);
    });
    try {
      const ready: Promise<void>[] = [];
      const lines: MessagePort[] = [];
      for (let share = 1; share < init.shares; share++) {
        const { port1, port2 } = new MessageChannel();
        lines.push(port2);
        ready.push(this.#start(spawn, { ...init, share, line: port1 }));
      }
      await Promise.race([Promise.all(ready), late]);
      this.#watch(spawn, { control: init.control, lines });
      return undefined;
    } catch (error) {
      this.end();
      return `this host starts no workers (${error instanceof Error ? error.message : String(error)})`;
    } finally {
      clearTimeout(timer);
    }
  }

  #start(spawn: Spawn, init: WorkerInit): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = (reason: string): void => {
        reject(new Error(reason));
        if (!this.#ended) this.onLoss(`worker ${init.share}: ${reason}`);
      };
      const answer = (text: string): void => (text === "ready" ? resolve() : gone(text));
      const task = { script: WORKER, message: init, ports: [init.line] };
      this.#workers.push(spawn(task, { answer, gone }));
    });
  }

  /** Nobody waits for the watcher, which starts last: a line that closed before it looks is closed when it does. */
  #watch(spawn: Spawn, watch: Watch): void {
    const task = { script: WATCHER, message: watch, ports: watch.lines };
    // Without it the others work as well; the caller's timeout is what is left.
    this.#workers.push(spawn(task, { answer: () => {}, gone: () => {} }));
  }

  /** Ends the workers. */
  end(): void {
    this.#ended = true;
    for (const worker of this.#workers) worker.end();
  }
}
