import { describe, expect, it } from "vitest";
import { PRINTED } from "../conformance/printed.ts";
import type { Host, Launcher, Program } from "./launcher.ts";
import type { Digests } from "./report.ts";
import { runRow } from "./run.ts";

const expected = Object.fromEntries(PRINTED.map((name) => [name, "0123456789abcdef"])) as Digests;
const DIGESTS = PRINTED.map((name) => `${name} ${expected[name]}`);
const LINES: Record<Program, string[]> = {
  suite: ["2 passed, 0 failed", ...DIGESTS],
  digests: DIGESTS,
  leg: [`resumed ${expected.resumed}`],
  hello: ["first output 0.5"],
  empty: ["nothing"],
};

/** A runtime that prints `LINES`, with what differs in a case. */
function fake(host: Partial<Host> = {}, launcher: Partial<Launcher> = {}): Launcher & { closed: number } {
  const result = {
    name: "fake",
    kind: "suite" as const,
    closed: 0,
    absent: () => undefined,
    open: async () => ({
      version: "1.0",
      log: () => "what it wrote",
      run: async (program: Program) => ({
        lines: LINES[program],
        milliseconds: program === "hello" ? 30 : 10,
      }),
      close: async () => void result.closed++,
      ...host,
    }),
  };
  return Object.assign(result, launcher);
}

describe("runRow", () => {
  it("runs the suite and takes the cold start as the difference of two programs", async () => {
    const launcher = fake();
    const row = await runRow(launcher, expected);
    expect(row).toMatchObject({ name: "fake", version: "1.0", passed: 2, failed: 0, coldStart: 20 });
    expect(launcher.closed).toBe(1);
  });

  it("asks for the digests alone where no more is wanted", async () => {
    const row = await runRow(fake({}, { kind: "digests" }), expected);
    expect(row).toMatchObject({ passed: 1, failed: 0 });
    expect(row.coldStart).toBeUndefined();
  });

  it("says how to install what is absent, and starts nothing", async () => {
    const open = (): never => {
      throw new Error("opened");
    };
    const row = await runRow(fake({}, { absent: () => "npm ci", open }), expected);
    expect(row).toMatchObject({ absent: "npm ci", passed: 0, failed: 0 });
  });

  it("shows what a runtime wrote that breaks down, and closes it", async () => {
    const launcher = fake({ run: async () => Promise.reject(new Error("exit code 134")) });
    const row = await runRow(launcher, expected);
    expect(row).toMatchObject({ version: "1.0", failed: 1, problems: ["exit code 134\nwhat it wrote"] });
    expect(launcher.closed).toBe(1);
  });

  it("gives up a runtime that hangs", async () => {
    const launcher = fake({ run: () => new Promise(() => {}) }, { limit: 0.01 });
    const row = await runRow(launcher, expected);
    expect(row.failed).toBe(1);
    expect(row.problems[0]).toContain("suite: expected an end within 0.01 s, got none");
    expect(launcher.closed).toBe(1);
  });

  it("counts a runtime that does not start", async () => {
    const row = await runRow(
      fake({}, { open: async () => Promise.reject(new Error("no screen")) }),
      expected,
    );
    expect(row).toMatchObject({ failed: 1, problems: ["no screen"] });
  });

  it("keeps the verdict of the suite when the cold start fails", async () => {
    const run: Host["run"] = async (program) => ({
      lines: program === "hello" ? [] : LINES[program],
      milliseconds: 0,
    });
    const row = await runRow(fake({ run }), expected);
    expect(row).toMatchObject({ passed: 2, failed: 1 });
    expect(row.problems[0]).toContain('hello: expected the first output, got ""');
  });
});
