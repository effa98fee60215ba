import { SingleBar } from "cli-progress";
import { print } from "./output.ts";
import { duration, percent } from "./report.ts";

/** The progress of training after a batch; loss and accuracy are the running means of the epoch. */
export interface BatchState {
  readonly epoch: number;
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
  readonly accuracy: number;
  /** Images a second in this epoch, as text. */
  readonly rate: string;
}

/** Shows how far a run is. */
export interface Progress {
  batch(state: BatchState): void;
  /** Says a line that stays, after whatever moves has been cleared away. */
  line(text: string): void;
  /** Clears away whatever moves. */
  stop(): void;
}

/** A file of this many lines an epoch stays readable. */
const LINES_PER_EPOCH = 10;

/** Estimates the rest of a run from its mean pace so far, which a run that goes on counts from where it began to. */
class Clock {
  readonly #started = performance.now();
  /** The batches that were done before. */
  #before: number | undefined;

  remaining({ epoch, batch, batches }: BatchState, epochs: number): string {
    const done = (epoch - 1) * batches + batch;
    this.#before ??= done - 1;
    const elapsed = (performance.now() - this.#started) / 1000;
    return duration((elapsed * (epochs * batches - done)) / (done - this.#before));
  }
}

/** The batch's number, as wide as the last one's, so that lines and bar stand still. */
function batchNumber({ batch, batches }: BatchState): string {
  return String(batch).padStart(String(batches).length);
}

function loss(state: BatchState): string {
  return state.loss.toFixed(4);
}

/** A bar for each epoch that is wiped out when the epoch ends. */
function barProgress(epochs: number, stream: NodeJS.WriteStream): Progress {
  const clock = new Clock();
  const bar = new SingleBar({
    stream,
    format: "epoch {epoch} {bar} {at}/{total}  loss {loss}  accuracy {accuracy}  ETA {left}  {rate}",
    barsize: 16,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: true,
    // Signals are handled by the caller, who stops the bar.
    gracefulExit: false,
  });
  // However the process ends, the cursor is shown again.
  const restore = (): void => bar.stop();
  process.once("exit", restore);
  return {
    batch(state) {
      const payload = {
        epoch: `${state.epoch}/${epochs}`,
        at: batchNumber(state),
        loss: loss(state),
        accuracy: percent(state.accuracy).padStart(8),
        rate: state.rate,
        left: clock.remaining(state, epochs),
      };
      if (bar.isActive) bar.update(state.batch, payload);
      else bar.start(state.batches, state.batch, payload);
    },
    line(text) {
      bar.stop();
      print(text);
    },
    stop() {
      process.off("exit", restore);
      bar.stop();
    },
  };
}

/** Whole lines, for files and pipes: about ten an epoch besides the epoch's own, or that alone. */
function lineProgress(epochs: number, isBrief: boolean): Progress {
  const clock = new Clock();
  return {
    batch(state) {
      const { epoch, batch, batches } = state;
      const tenth = (count: number): number => Math.floor((LINES_PER_EPOCH * count) / batches);
      // The last batch is left to the line of the whole epoch.
      if (isBrief || batch === batches || tenth(batch) === tenth(batch - 1)) return;
      const place = `epoch ${epoch}/${epochs}  batch ${batchNumber(state)}/${batches}`;
      const figures = `loss ${loss(state)}  accuracy ${percent(state.accuracy).padStart(8)}`;
      print(`${place}  ${figures}  ETA ${clock.remaining(state, epochs)}  ${state.rate}`);
    },
    line: print,
    stop() {},
  };
}

/** A bar on a terminal, lines elsewhere, of which brief epochs get one; `stream` is stdout. */
export function createProgress(epochs: number, stream: NodeJS.WriteStream, isBrief = false): Progress {
  return stream.isTTY ? barProgress(epochs, stream) : lineProgress(epochs, isBrief);
}

/** Says after each fifth of some pictures how many are done, and how many a second. Call it after each picture. */
export function pictureCounter(all: number, tell: (text: string) => void): () => void {
  const started = performance.now();
  let done = 0;
  return () => {
    const before = Math.floor((5 * done++) / all);
    if (Math.floor((5 * done) / all) === before) return;
    const count = `${done.toLocaleString("en")} of ${all.toLocaleString("en")} pictures`;
    tell(`features  ${count}  ${imageRate(done, performance.now() - started)}`);
  };
}

/** Images a second as text, where small numbers have a decimal. */
export function imageRate(images: number, milliseconds: number): string {
  const rate = (1000 * images) / Math.max(1, milliseconds);
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en")} images/s`;
}

/** Shows nothing. */
export const noProgress: Progress = { batch() {}, line() {}, stop() {} };
