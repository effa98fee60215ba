/**
 * What the watcher runs, a thread that does nothing but hear of the end of workers: the calling thread hears of nothing
 * while it waits for them. It gets a `Watch` and sends nothing.
 */
import { LOST, PENDING, type Watch } from "../control.ts";
import { onFirstMessage } from "./parent.ts";

/** A line to a worker; those of Node are emitters of events. */
interface Line extends MessagePort {
  on?(event: "close" | "message", listener: () => void): Line;
}

/** The lines to the workers: one that is collected closes. */
const held: Line[] = [];

onFirstMessage<Watch>(({ control, lines }) => {
  const at = new Int32Array(control);
  held.push(...lines);
  held.forEach((line, i) => {
    const gone = (): void => {
      Atomics.compareExchange(at, LOST, 0, i + 1);
      Atomics.notify(at, PENDING);
    };
    // A listener of messages keeps a thread of Node's alive.
    if (line.on) line.on("close", gone).on!("message", () => {});
    else (line as unknown as { onclose: () => void }).onclose = gone;
    line.start();
  });
});
