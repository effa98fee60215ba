/** Engines with threads, on which everything that can be split is, however small. */
import { afterAll, beforeAll, expect } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { tuning } from "../../src/runtime/threads/start.ts";

/** For the tests of the file that calls it. */
export function splitEverything(): void {
  const { minWork } = tuning;
  beforeAll(() => {
    tuning.minWork = 0;
  });
  afterAll(() => {
    tuning.minWork = minWork;
  });
}

/** Runs `body` on an engine of so many threads. */
export async function withThreads(threads: number, body: (engine: Engine) => void): Promise<void> {
  const engine = await load({ threads });
  try {
    expect(engine.threadsUnavailable).toBeUndefined();
    expect(engine.threads).toBe(threads);
    body(engine);
  } finally {
    engine.dispose();
  }
}
