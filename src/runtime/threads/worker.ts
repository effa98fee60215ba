import {
  ARGUMENTS,
  ASLEEP,
  CALLER_ASLEEP,
  EPOCH,
  FAILED,
  KERNEL,
  LOST,
  PENDING,
  REASON,
  REASON_ROOM,
  RESULT,
  STOP,
} from "./control.ts";

/**
 * Milliseconds that a worker waits awake, since kernels follow each other closely and waking takes long. The time is
 * halved whenever it was in vain, down to the least: on a busy machine a worker that spins may be what keeps the calling
 * thread from its processor.
 */
const AWAKE = 0.1;
const LEAST_AWAKE = 0.005;
/** Looks at the epoch between two looks at the clock. */
const LOOKS = 200;

/**
 * A worker, as a script of its own: a text needs no file, which bundlers would lose. It gets an `WorkerInit` as its first
 * message and answers with "ready", or with what went wrong; after that it neither gets nor sends any.
 *
 * One argument list for all kernels: the module takes of it what a kernel has, and no list is made anew at each call.
 */
export const WORKER = `
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = threads?.parentPort ?? globalThis;
let line;
function serve({ control, names, share }, table) {
  const at = new Int32Array(control);
  const a = new Float64Array(control, ${ARGUMENTS * 8});
  const kernels = names.map((name) => table[name]);
  const fail = (error) => {
    const text = String(error).slice(0, ${REASON_ROOM});
    for (let i = 0; i < text.length; i++) at[${REASON + 1} + i] = text.charCodeAt(i);
    at[${REASON}] = text.length;
    Atomics.store(at, ${FAILED}, share);
  };
  let awake = ${AWAKE};
  const next = (epoch) => {
    const until = performance.now() + awake;
    do {
      for (let i = 0; i < ${LOOKS}; i++) {
        if (Atomics.load(at, ${EPOCH}) === epoch) continue;
        awake = ${AWAKE};
        return Atomics.load(at, ${EPOCH});
      }
    } while (performance.now() < until);
    awake = Math.max(awake / 2, ${LEAST_AWAKE});
    Atomics.add(at, ${ASLEEP}, 1);
    while (Atomics.load(at, ${EPOCH}) === epoch) Atomics.wait(at, ${EPOCH}, epoch);
    Atomics.sub(at, ${ASLEEP}, 1);
    return Atomics.load(at, ${EPOCH});
  };
  for (let epoch = 0; ; ) {
    epoch = next(epoch);
    if (at[${STOP}]) return;
    try {
      const result = kernels[at[${KERNEL}]](
        a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9],
        a[10], a[11], a[12], a[13], a[14], a[15], a[16], a[17], a[18], a[19],
      );
      if (result === 0) Atomics.store(at, ${RESULT}, 0);
    } catch (error) {
      fail(error);
    }
    const left = Atomics.sub(at, ${PENDING}, 1) - 1;
    if (left === 0 && Atomics.load(at, ${CALLER_ASLEEP})) Atomics.notify(at, ${PENDING});
  }
}
function begin(init) {
  try {
    const { module, memory, share, shares } = init;
    // Held, since a line that is collected closes.
    line = init.line;
    const table = new WebAssembly.Instance(module, { env: { memory } }).exports;
    table.joinThreads(share, shares);
    port.postMessage("ready");
    // In a task of its own, lest the message wait for the end of this one.
    setTimeout(() => {
      serve(init, table);
      if (!threads?.parentPort) globalThis.close();
    });
  } catch (error) {
    port.postMessage(String(error));
  }
}
if (threads?.parentPort) port.once("message", begin);
else port.onmessage = ({ data }) => begin(data);
`;

/**
 * The watcher, a thread that does nothing but hear of the end of workers: the calling thread hears of nothing while it
 * waits for them. It gets a `Watch` and sends nothing.
 */
export const WATCHER = `
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = threads?.parentPort ?? globalThis;
let held;
function begin({ control, lines }) {
  const at = new Int32Array(control);
  held = lines;
  lines.forEach((line, i) => {
    const gone = () => {
      Atomics.compareExchange(at, ${LOST}, 0, i + 1);
      Atomics.notify(at, ${PENDING});
    };
    if (!line.on) line.onclose = gone;
    // A listener of messages keeps a thread of Node's alive.
    else line.on("close", gone).on("message", () => {});
    line.start();
  });
}
if (threads?.parentPort) port.once("message", begin);
else port.onmessage = ({ data }) => begin(data);
`;
