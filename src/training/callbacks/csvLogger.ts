import { OptionError } from "../../errors.ts";
import { checkOptions, flag, show } from "../../options.ts";
import type { Callback } from "./callback.ts";
import { figuresOf } from "./figures.ts";

/** Takes text: a function, or an object that writes, such as a stream of Node. */
export type TextSink = ((text: string) => unknown) | { write(text: string): unknown };

export interface CsvLoggerOptions {
  /** Default: `","`. */
  separator?: string | undefined;
  /**
   * Whether what is written goes on behind an earlier log, without names of columns. Default: false; a run that goes on from a
   * checkpoint does so anyway.
   */
  append?: boolean | undefined;
}

const quoted = (text: string, separator: string): string =>
  [separator, '"', "\n", "\r"].some((part) => text.includes(part)) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * Writes a line an epoch, with its end: the number of the epoch, its figures, and the learning rate of the next step; in front
 * of the first their names. A promise that `sink` returns is awaited. Numbers are those that JavaScript reads back exactly.
 *
 * @example callbacks.csvLogger(createWriteStream("log.csv")) // from node:fs
 * @throws OptionError
 */
export function csvLogger(sink: TextSink, options: CsvLoggerOptions = {}): Callback {
  checkOptions("csvLogger", options, ["separator", "append"]);
  const { separator = "," } = options;
  if (typeof separator !== "string" || separator === "") {
    throw new OptionError(`csvLogger: separator: expected a text, got ${show(separator)}`);
  }
  const write = typeof sink === "function" ? sink : (text: string): unknown => sink.write(text);
  if (typeof sink !== "function" && typeof sink?.write !== "function") {
    throw new OptionError(`csvLogger: expected a function or an object with write, got ${show(sink)}`);
  }
  let named = flag("csvLogger: append", options.append ?? false);
  const line = (values: readonly (string | number)[]): string =>
    `${values.map((value) => quoted(String(value), separator)).join(separator)}\n`;
  return {
    // A run that goes on writes behind what it wrote before.
    state: () => ({ named }),
    restore(state: object) {
      checkOptions("csvLogger: state", state, ["named"]);
      named = flag("csvLogger: state: named", (state as Record<string, unknown>)["named"]) || named;
    },
    async onEpochEnd(state, { learningRate }) {
      const figures = figuresOf(state);
      const names = named ? "" : line(["epoch", ...figures.keys(), "learningRate"]);
      named = true;
      await write(names + line([state.epoch, ...figures.values(), learningRate]));
    },
  };
}
