import { MemoryError, OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { refusal } from "./compile.ts";

const PAGE = 65536;
const ADDRESSABLE = 2 ** 32 - PAGE;

/** Bytes that a memory may grow to, of which the last page stays out of reach. @throws OptionError naming `where` */
export function memoryLimit(where: string, maximumMemory: unknown = ADDRESSABLE): number {
  if (
    Number.isInteger(maximumMemory) &&
    (maximumMemory as number) >= 2 * PAGE &&
    (maximumMemory as number) <= 2 ** 32
  ) {
    return Math.min(maximumMemory as number, ADDRESSABLE);
  }
  throw new OptionError(
    `${where}: maximumMemory: expected bytes from ${2 * PAGE} to ${2 ** 32}, got ${show(maximumMemory)}`,
  );
}

/** WebKit applies a content security policy here already. @throws MemoryError when the host has no room. */
export function createMemory(where: string, limit: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 2, maximum: Math.floor(limit / PAGE) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw refusal(error);
    throw new MemoryError(`${where}: maximumMemory: expected room for ${limit} bytes, got ${String(error)}`, {
      cause: error,
    });
  }
}
