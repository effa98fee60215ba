/** The engines that inputs are tried on, and the rules for a refusal. */
import * as errors from "../../src/errors.ts";
import { UsageError } from "../../src/cli/usage.ts";
import { load, type Engine } from "../../src/index.ts";
import { guarding } from "../guards/heap.ts";

/** Bytes that an input may make the linear memory grow to. */
export const MEMORY = 2 ** 27;
/** An engine whose memory has grown beyond is replaced: the next input starts small. */
const KEPT = 2 ** 23;
const LONGEST_MESSAGE = 1000;

/** Engines to try inputs on: a plain one, and one whose heap is guarded. */
export class Bench {
  #plain: Engine | undefined;
  #guarded: Engine | undefined;

  /** Makes engines where there is none that is small. */
  async prepare(): Promise<void> {
    this.#plain = await renewed(this.#plain, false);
    this.#guarded = await renewed(this.#guarded, true);
  }

  get plain(): Engine {
    return this.#plain!;
  }

  get guarded(): Engine {
    return this.#guarded!;
  }

  /** @throws Error when an input has left something in a memory */
  checkEmpty(): void {
    for (const engine of [this.plain, this.guarded]) {
      const { used } = engine.memory;
      if (used !== 0) {
        this.#plain = this.#guarded = undefined;
        throw new Error(`leak: expected nothing left in memory, got ${used} bytes`);
      }
    }
  }
}

async function renewed(engine: Engine | undefined, guarded: boolean): Promise<Engine> {
  if (engine && engine.memory.bytes <= KEPT) return engine;
  engine?.dispose();
  guarding.on = guarded;
  return load({ maximumMemory: MEMORY });
}

const OWN = [...Object.values(errors), UsageError].filter((value) => typeof value === "function");

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Says what is wrong with an error that refuses an input; undefined for nothing. */
export function faultOf(error: unknown): string | undefined {
  if (!OWN.some((type) => error instanceof type)) {
    const text = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    return `foreign error: ${text.slice(0, 2000)}`;
  }
  const { message } = error as Error;
  if (message.length >= LONGEST_MESSAGE)
    return `message of ${message.length} characters: ${message.slice(0, 200)}…`;
  if (CONTROL.test(message)) return `control characters in a message: ${JSON.stringify(message)}`;
  return undefined;
}

/** @throws Error unless two lists of numbers are the same, NaN for NaN. */
export function expectSame(what: string, given: ArrayLike<unknown>, wanted: ArrayLike<unknown>): void {
  if (given.length !== wanted.length) {
    throw new Error(`${what}: expected ${wanted.length} numbers, got ${given.length}`);
  }
  for (let i = 0; i < wanted.length; i++) {
    if (!Object.is(given[i], wanted[i])) {
      throw new Error(`${what}: expected ${String(wanted[i])} at ${i}, got ${String(given[i])}`);
    }
  }
}
