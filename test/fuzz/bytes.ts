/** Damage to bytes that knows nothing of what they mean. */
import type { Random } from "../../src/random.ts";
import { pick } from "./reader.ts";

type Damage = (random: Random, file: Uint8Array, other: Uint8Array) => Uint8Array;

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function changed(file: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = file.slice();
  change(copy);
  return copy;
}

const DAMAGE: readonly Damage[] = [
  (random, file) => changed(file, (copy) => (copy[random.integer(copy.length)]! ^= 1 << random.integer(8))),
  (random, file) =>
    changed(file, (copy) => (copy[random.integer(copy.length)] = pick(random, [0, 1, 127, 128, 255]))),
  (random, file) => file.slice(0, random.integer(file.length)),
  (random, file) => {
    const at = random.integer(file.length);
    return joined(file.subarray(0, at), file.subarray(at + 1 + random.integer(16)));
  },
  (random, file) => {
    const at = random.integer(file.length);
    const end = at + 1 + random.integer(64);
    return joined(file.subarray(0, end), file.subarray(at, end), file.subarray(end));
  },
  (random, file, other) =>
    joined(file.subarray(0, random.integer(file.length)), other.subarray(random.integer(other.length))),
  (random, file) =>
    changed(file, (copy) => {
      const [a, b] = [random.integer(copy.length), random.integer(copy.length)];
      [copy[a], copy[b]] = [copy[b]!, copy[a]!];
    }),
];

/** The file with one such damage. */
export function damage(random: Random, file: Uint8Array, other: Uint8Array): Uint8Array {
  return file.length === 0 || other.length === 0 ? file : pick(random, DAMAGE)(random, file, other);
}
