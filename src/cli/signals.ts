/** The signals by which a user or a system ends a program. */
import { constants } from "node:os";
import { isatty } from "node:tty";

export const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

type EndingSignal = (typeof endingSignals)[number];

/** Which of stdin, stdout and stderr are a terminal. */
const terminals = [0, 1, 2].filter(isatty);

/**
 * Ends the process at once. Node aborts when it cannot set a terminal back to how it was since that has been closed;
 * to die of SIGHUP is the same to a shell as the exit code 129, and leaves the terminal alone.
 */
export function exit(code: number): never {
  if (terminals.some((descriptor) => !isatty(descriptor))) {
    process.removeAllListeners("SIGHUP");
    process.kill(process.pid, "SIGHUP");
  }
  process.exit(code);
}

/** The reason of an abort by a signal. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** Shells report this code for a program that a signal ended: 128 plus the signal's number. */
  readonly exitCode: number;
  readonly signal: EndingSignal;

  /** `left` says what the run leaves behind. */
  constructor(signal: EndingSignal, left: string) {
    super(`stopped by ${signal === "SIGINT" ? "Ctrl-C" : signal}; ${left}`);
    this.exitCode = 128 + constants.signals[signal];
    this.signal = signal;
  }
}

/**
 * Works under an abort signal that the first signal of the system raises, so that the work can come to an end of its
 * own; a second one ends the process at once, with its exit code. `left` says what a run that ends so leaves behind.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, left: string): Promise<T> {
  const controller = new AbortController();
  const interrupt = (signal: EndingSignal): void => {
    const reason = new Interrupted(signal, left);
    if (controller.signal.aborted) exit(reason.exitCode);
    controller.abort(reason);
  };
  for (const signal of endingSignals) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of endingSignals) process.off(signal, interrupt);
  }
}

/** Lets the events of the system in that came during a computation, and ends the work if one of them says so. */
export async function takeSignals(signal: AbortSignal): Promise<void> {
  await new Promise((turn) => setTimeout(turn));
  signal.throwIfAborted();
}
