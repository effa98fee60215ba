/** The fuzzer tries readers of files: each has sound files, ways to damage them, and a way to use what it reads. */
import type { Random } from "../../src/random.ts";
import type { Bench } from "./bench.ts";

/**
 * How far an input came: `malformed` is refused by the format's parser, `refused` behind it; `read` gave what was then
 * used.
 */
export const STAGES = ["malformed", "refused", "read"] as const;
export type Stage = (typeof STAGES)[number];

export interface Reader {
  readonly name: string;
  /** The frequency of its turns, relative to the others. */
  readonly weight: number;
  /** Sound files, made or found once. */
  seeds(): readonly Uint8Array[];
  /** A file made of `file`; `other` is another sound one, for parts. */
  mutate(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array;
  /**
   * Checks what the format itself demands: its frame, not its content. @throws an error of any kind when it is not so
   */
  parse(bytes: Uint8Array): unknown;
  /**
   * Reads the bytes and uses what comes out, in ways drawn from `random`. @throws the package's errors, for what is
   * refused
   */
  use(bytes: Uint8Array, bench: Bench, random: Random): Promise<void> | void;
}

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

/** One of a list; undefined when it is empty. */
export function maybe<T>(random: Random, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : pick(random, list);
}

/** Sizes where something may overflow. */
export const SIZES: readonly number[] = [
  0,
  -1,
  1,
  2,
  3,
  7,
  255,
  65536,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 31),
  -(2 ** 53),
];

/** Names that mean something to an object or a terminal, and what is no name of a value in a file. */
export const NAMES: readonly string[] = [
  "__proto__",
  "constructor",
  "toString",
  "",
  "x:0/y.1",
  "\u0000",
  "\u001b[2J\u001b]0;title\u0007",
  "\u202eabc",
  "nowhere",
  "n".repeat(5000),
];
