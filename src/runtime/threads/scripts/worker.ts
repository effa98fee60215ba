/**
 * What a worker runs, as a script of its own: the build makes a text of it, which needs no file that bundlers would lose. It gets
 * a `WorkerInit` as its first message and answers with "ready", or with what went wrong; after that it neither gets nor
 * sends any.
 */
import {
  ARGUMENTS,
  ASLEEP,
  CALLER_ASLEEP,
  EPOCH,
  FAILED,
  KERNEL,
  PENDING,
  REASON,
  REASON_ROOM,
  RESULT,
  STOP,
  type WorkerInit,
} from "../control.ts";
import { answer, close, onFirstMessage } from "./parent.ts";

/**
 * Milliseconds that a worker waits awake, since kernels follow each other closely and waking takes long. The time is
 * halved whenever it was in vain, down to the least: on a busy machine a worker that spins may be what keeps the calling
 * thread from its processor.
 */
const AWAKE = 0.1;
const LEAST_AWAKE = 0.005;
/** Looks at the epoch between two looks at the clock. */
const LOOKS = 200;

type Kernel = (...args: number[]) => unknown;

/**
 * Computes this worker's share of each kernel that is handed out. One argument list for all kernels: the module takes of it
 * what a kernel has, and no list is made anew at each call.
 */
function serve({ control, names, share }: WorkerInit, table: WebAssembly.Exports): void {
  const at = new Int32Array(control);
  const a = new Float64Array(control, ARGUMENTS * 8) as unknown as number[];
  const kernels = names.map((name) => table[name] as Kernel);
  const fail = (error: unknown): void => {
    const text = String(error).slice(0, REASON_ROOM);
    for (let i = 0; i < text.length; i++) at[REASON + 1 + i] = text.charCodeAt(i);
    at[REASON] = text.length;
    Atomics.store(at, FAILED, share);
  };
  let awake = AWAKE;
  const next = (epoch: number): number => {
    const until = performance.now() + awake;
    do {
      for (let i = 0; i < LOOKS; i++) {
        if (Atomics.load(at, EPOCH) === epoch) continue;
        awake = AWAKE;
        return Atomics.load(at, EPOCH);
      }
    } while (performance.now() < until);
    awake = Math.max(awake / 2, LEAST_AWAKE);
    Atomics.add(at, ASLEEP, 1);
    while (Atomics.load(at, EPOCH) === epoch) Atomics.wait(at, EPOCH, epoch);
    Atomics.sub(at, ASLEEP, 1);
    return Atomics.load(at, EPOCH);
  };
  for (let epoch = 0; ;) {
    epoch = next(epoch);
    if (at[STOP]) return;
    try {
      // prettier-ignore
      const result = kernels[at[KERNEL]!]!(
        a[0]!, a[1]!, a[2]!, a[3]!, a[4]!, a[5]!, a[6]!, a[7]!, a[8]!, a[9]!,
        a[10]!, a[11]!, a[12]!, a[13]!, a[14]!, a[15]!, a[16]!, a[17]!, a[18]!, a[19]!,
      );
      if (result === 0) Atomics.store(at, RESULT, 0);
    } catch (error) {
      fail(error);
    }
    const left = Atomics.sub(at, PENDING, 1) - 1;
    if (left === 0 && Atomics.load(at, CALLER_ASLEEP)) Atomics.notify(at, PENDING);
  }
}

/** The line to the watcher: one that is collected closes. */
const held: MessagePort[] = [];

onFirstMessage<WorkerInit>((init) => {
  try {
    const { module, memory, share, shares } = init;
    held.push(init.line);
    const table = new WebAssembly.Instance(module, { env: { memory } }).exports;
    (table["joinThreads"] as Kernel)(share, shares);
    answer("ready");
    // In a task of its own, lest the message wait for the end of this one.
    setTimeout(() => {
      serve(init, table);
      close();
    });
  } catch (error) {
    answer(String(error));
  }
});
