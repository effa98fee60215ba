/** The same work on a plain heap and a guarded one, at one thread and three, has to give the same bits. */
import { guarding } from "./setup.ts";
import { expect } from "vitest";
import { load, type Engine } from "../../src/index.ts";

/** An engine whose heap is guarded or plain. */
export async function loadGuarded(guarded: boolean, threads = 1): Promise<Engine> {
  const before = guarding.on;
  guarding.on = guarded;
  try {
    return await load({ threads });
  } finally {
    guarding.on = before;
  }
}

export interface Engines {
  readonly plain: Engine;
  /** By their names. */
  readonly others: Readonly<Record<string, Engine>>;
  dispose(): void;
}

/** A plain engine on one thread, and those that have to do as it does. */
export async function loadAll(): Promise<Engines> {
  const plain = await loadGuarded(false);
  const others = {
    "guarded, 1 thread": await loadGuarded(true),
    "plain, 3 threads": await loadGuarded(false, 3),
    "guarded, 3 threads": await loadGuarded(true, 3),
  };
  const dispose = (): void => [plain, ...Object.values(others)].forEach((engine) => engine.dispose());
  return { plain, others, dispose };
}

export type Numbers = Exclude<ArrayBufferView, DataView>;

/** Says where two lists of arrays differ in their bits; undefined when nowhere. All NaN count as equal. */
function firstDifference(given: readonly Numbers[], wanted: readonly Numbers[]): string | undefined {
  if (given.length !== wanted.length) return `${given.length} results instead of ${wanted.length}`;
  for (const [i, data] of given.entries()) {
    const [a, b] = [data, wanted[i]!] as unknown as [ArrayLike<number>, ArrayLike<number>];
    if (a.length !== b.length) return `result ${i}: ${a.length} elements instead of ${b.length}`;
    for (let at = 0; at < a.length; at++) {
      if (!Object.is(a[at], b[at])) return `result ${i}: ${a[at]} instead of ${b[at]} at ${at}`;
    }
  }
  return undefined;
}

/** Expects the same bits from `run` on each engine. */
export async function expectSame(
  { plain, others }: Engines,
  what: string,
  run: (engine: Engine) => Numbers[] | Promise<Numbers[]>,
): Promise<Numbers[]> {
  const wanted = await run(plain);
  for (const [name, engine] of Object.entries(others)) {
    const difference = firstDifference(await run(engine), wanted);
    expect(difference, `${what}, ${name}`).toBeUndefined();
    expect(engine.memory.used, `${what}, ${name}: memory in use`).toBe(plain.memory.used);
  }
  return wanted;
}
