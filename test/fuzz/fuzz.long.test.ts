/** A share of the fuzzing that `npm run fuzz` does at length, and that it finds what it is to find. */
import { expect, it } from "vitest";
import { inputAt, READERS, readerAt, readersOf } from "./inputs.ts";
import { Counts, run, type FoundFault } from "./run.ts";

const SEED = 20263;
const COUNT = 2500;

it(`${COUNT} damaged files, seed ${SEED}, of every reader`, { timeout: 900_000 }, async () => {
  const counts = new Counts();
  const { faults } = await run({
    seed: SEED,
    count: COUNT,
    readers: READERS.map(({ name }) => name),
    onEnd: (index, stage) => counts.add(readerAt(READERS, index).name, stage),
  });
  console.log(counts.toString());
  expect(faults).toEqual([]);
  expect(counts.total).toBe(COUNT);
  expect(counts.past).toBeGreaterThan(1 / 3);
  for (const { name } of READERS) {
    expect(counts.of("refused", name) + counts.of("malformed", name), `${name}: refused`).toBeGreaterThan(10);
    expect(counts.of("read", name), `${name}: read`).toBeGreaterThan(10);
  }
});

it("the same seed gives the same inputs, whatever came before", () => {
  for (const index of [0, 7, 1234]) {
    const [first, second] = [inputAt(READERS, 5, index), inputAt(READERS, 5, index)];
    expect(second.bytes).toEqual(first.bytes);
    expect(inputAt(READERS, 6, index).useSeed).not.toBe(first.useSeed);
  }
});

it("every kind of fault is found, once and with the input it is of", { timeout: 900_000 }, async () => {
  const faults: FoundFault[] = [];
  // So many inputs bring each of the planted reader's faults.
  const planted = readersOf(["planted"]);
  const firsts = new Map<number, number>();
  for (let index = 0; firsts.size < planted[0]!.seeds().length; index++) {
    const [kind] = inputAt(planted, 1, index).bytes;
    if (!firsts.has(kind!)) firsts.set(kind!, index);
  }
  for (const [kind, index] of firsts) {
    if (kind < 2) continue;
    const plan = { seed: 1, from: index, count: 1, readers: ["planted"], patience: 8000 };
    faults.push(...(await run(plan)).faults);
  }
  const texts = faults.map(({ index, text }) => [inputAt(planted, 1, index).bytes[0], text] as const);
  const told = Object.fromEntries(texts.sort(([a], [b]) => a! - b!));
  expect(told).toEqual({
    2: expect.stringContaining("foreign error: TypeError: foreign"),
    3: expect.stringMatching(/^message of 4000 characters: long/),
    4: expect.stringContaining("control characters in a message"),
    5: "no end after 8000 ms of the processor",
    6: expect.stringMatching(/a refusal that took 640 MB\) took .*\d+ MB of at most 300/),
    7: expect.stringMatching(/a refusal that took two seconds\) took \d{4} ms of at most 1000/),
    8: expect.stringContaining("the process ended (exit code 7)"),
  });
  expect(texts.length).toBe(7);
});
