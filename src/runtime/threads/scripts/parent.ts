/** The thread that started this one, in Node and in browsers. */
interface Process {
  getBuiltinModule?(name: "node:worker_threads"): { parentPort: NodePort | null } | undefined;
}

interface NodePort {
  once(event: "message", listener: (message: never) => void): void;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as {
  readonly process?: Process;
  onmessage: (event: { readonly data: never }) => void;
  postMessage(message: unknown): void;
  close(): void;
};

const node = scope.process?.getBuiltinModule?.("node:worker_threads")?.parentPort;

/** Calls `begin` with the first message. */
export function onFirstMessage<Message>(begin: (message: Message) => void): void {
  if (node) node.once("message", begin);
  else scope.onmessage = ({ data }) => begin(data);
}

export function answer(text: string): void {
  (node ?? scope).postMessage(text);
}

/** Ends a worker of a browser; one of Node ends when it has nothing left to do. */
export function close(): void {
  if (!node) scope.close();
}
