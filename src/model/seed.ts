import { OptionError } from "../errors.ts";
import { show } from "../options.ts";

/** @throws OptionError naming `where` unless `seed` is an integer from 0 to 2⁵³ − 1. */
export function checkSeed(where: string, seed: unknown): void {
  if (!Number.isSafeInteger(seed) || (seed as number) < 0) {
    throw new OptionError(`${where}: seed: expected an integer from 0 to 2^53 - 1, got ${show(seed)}`);
  }
}
