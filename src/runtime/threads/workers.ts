/** Workers of whatever kind the host has: how they are started, and how many processors they have. */

export interface Worker {
  /** Ends it. */
  end(): void;
}

/** Hears of a worker: its answer to what it was given, or why it is no more. */
export interface Listener {
  answer(text: string): void;
  gone(reason: string): void;
}

/** The part of `node:worker_threads` that is used. */
interface NodeWorker {
  on(event: "message" | "error" | "exit", listener: (value: unknown) => void): void;
  postMessage(message: unknown, transfer: readonly MessagePort[]): void;
  unref(): void;
  terminate(): Promise<number>;
}

type NodeWorkerClass = new (code: string, options: object) => NodeWorker;

interface Process {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: "node:worker_threads"): { Worker: NodeWorkerClass } | undefined;
  getBuiltinModule?(name: "node:os"): { availableParallelism?(): number } | undefined;
}

const { process } = globalThis as { process?: Process };

/** The script and the first message of a worker, and the ports in the message, which go over to it. */
export interface Task {
  readonly script: string;
  readonly message: object;
  readonly ports: readonly MessagePort[];
}

/** Starts a worker and gives it its task. @throws when the host refuses. */
export type Spawn = (task: Task, listener: Listener) => Worker;

/** Finds the function by which this host starts workers, or says why it has none. */
export function findWorkers(): Spawn | string {
  const node = process?.getBuiltinModule?.("node:worker_threads")?.Worker;
  if (node) return (task, listener) => spawnNode(node, task, listener);
  if (typeof globalThis.Worker === "function" && typeof URL.createObjectURL === "function") return spawnWeb;
  if (process?.versions?.node === undefined) return "this host has no workers";
  return `Node ${process.versions.node} has no process.getBuiltinModule: Node 20.16 and 22.3 have it`;
}

/** Node, Bun and Deno. A worker there does not keep the process alive. */
function spawnNode(
  NodeWorker: NodeWorkerClass,
  { script, message, ports }: Task,
  listener: Listener,
): Worker {
  // Without the flags of this process, which may have it load more than the worker needs.
  const worker = new NodeWorker(script, { eval: true, execArgv: [], name: "im2row" });
  worker.on("message", (text) => listener.answer(String(text)));
  worker.on("error", (error) => listener.gone(String(error)));
  worker.on("exit", (code) => listener.gone(`exit code ${String(code)}`));
  worker.postMessage(message, ports);
  // Last: a listener of messages that is added later has it keep the process alive again.
  worker.unref();
  return {
    end: () => {
      worker.terminate().catch(() => {});
    },
  };
}

/** Browsers. A policy may refuse the worker here, or in an event later. */
function spawnWeb({ script, message, ports }: Task, listener: Listener): Worker {
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    const worker = new globalThis.Worker(address, { name: "im2row" });
    worker.onmessage = ({ data }) => {
      URL.revokeObjectURL(address);
      listener.answer(String(data));
    };
    worker.onerror = (event) =>
      listener.gone(
        event.message || "no worker of a blob: URL; the page's policy has to say worker-src blob:",
      );
    worker.postMessage(message, [...ports]);
    return { end: () => worker.terminate() };
  } catch (error) {
    URL.revokeObjectURL(address);
    throw error;
  }
}

/** Processors of this machine that the program may use, as far as the host tells. */
export function processors(): number {
  const told = process?.getBuiltinModule?.("node:os")?.availableParallelism?.();
  return told ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
