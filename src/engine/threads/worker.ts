import {
  ARGUMENTS,
  ASLEEP,
  EPOCH,
  FAILED,
  KERNEL,
  PENDING,
  REASON,
  REASON_ROOM,
  RESULT,
  STOP,
} from "./control.ts";

/** Milliseconds that a worker waits awake: kernels follow each other closer than that, and waking takes long. */
const AWAKE = 0.1;
/** Looks at the epoch between two looks at the clock. */
const LOOKS = 200;

/**
 * A worker, as a script of its own: a text needs no file, which bundlers would lose. It gets an `Order` as its first
 * message and answers with "ready", or with what went wrong; after that it neither gets nor sends any.
 *
 * One argument list for all kernels: the module takes of it what a kernel has, and no list is made anew at each call.
 */
export const WORKER = `
const threads = globalThis.process?.getBuiltinModule?.("node:worker_threads");
const port = threads?.parentPort ?? globalThis;
function serve({ control, names, share, exports }) {
  const at = new Int32Array(control);
  const a = new Float64Array(control, ${ARGUMENTS * 8});
  const kernels = names.map((name) => exports[name]);
  const fail = (error) => {
    const text = String(error).slice(0, ${REASON_ROOM});
    for (let i = 0; i < text.length; i++) at[${REASON + 1} + i] = text.charCodeAt(i);
    at[${REASON}] = text.length;
    Atomics.store(at, ${FAILED}, share);
  };
  const next = (epoch) => {
    for (;;) {
      const until = performance.now() + ${AWAKE};
      do {
        for (let i = 0; i < ${LOOKS}; i++) if (Atomics.load(at, ${EPOCH}) !== epoch) return Atomics.load(at, ${EPOCH});
      } while (performance.now() < until);
      Atomics.add(at, ${ASLEEP}, 1);
      Atomics.wait(at, ${EPOCH}, epoch);
      Atomics.sub(at, ${ASLEEP}, 1);
    }
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
    Atomics.sub(at, ${PENDING}, 1);
  }
}
function begin(order) {
  try {
    const { module, memory, share, shares } = order;
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    exports.joinThreads(share, shares);
    port.postMessage("ready");
    // In a task of its own, lest the message wait for the end of this one.
    setTimeout(() => {
      serve({ ...order, exports });
      if (!threads?.parentPort) globalThis.close();
    });
  } catch (error) {
    port.postMessage(String(error));
  }
}
if (threads?.parentPort) port.once("message", begin);
else port.onmessage = ({ data }) => begin(data);
`;
