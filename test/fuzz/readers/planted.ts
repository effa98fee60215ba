/** A reader with faults of every kind, to see that each is found. */
import type { Reader } from "../reader.ts";
import { FormatError } from "../../../src/errors.ts";

/** An error of the package whose message did not go through its constructor, which makes it legible. */
function careless(message: string): FormatError {
  const error = new FormatError("");
  error.message = message;
  return error;
}

/** By the byte that an input is. */
const FAULTS: readonly ((held: Uint8Array[]) => void)[] = [
  () => {},
  () => {
    throw new FormatError("planted: expected 1, got 2");
  },
  () => {
    throw new TypeError("foreign");
  },
  () => {
    throw careless("long".repeat(1000));
  },
  () => {
    throw careless("planted: \u001b[2J");
  },
  () => {
    for (;;);
  },
  (held) => {
    for (let i = 0; i < 40; i++) held.push(new Uint8Array(2 ** 24).fill(1));
    throw new FormatError("planted: a refusal that took 640 MB");
  },
  () => {
    const started = process.cpuUsage();
    while (process.cpuUsage(started).user < 2e6);
    throw new FormatError("planted: a refusal that took two seconds");
  },
  () => process.exit(7),
];

export const planted: Reader = {
  name: "planted",
  weight: 1,
  seeds: () => FAULTS.map((_, i) => Uint8Array.of(i)),
  mutate: (_, file) => file,
  parse: () => {},
  use: (bytes) => FAULTS[bytes[0]!]!([]),
};
