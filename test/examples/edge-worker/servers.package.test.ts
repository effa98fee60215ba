/** The model that the handler opens, and the servers of Node, Deno and Bun beside the Worker. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Body,
  folder,
  type Handle,
  importHandler,
  LIMIT,
  model,
  type Node,
  postOf,
  root,
  sample,
  send,
  text,
  useWorker,
} from "./support.ts";

const { post } = useWorker();
let node: Node;
let direct: Handle;
beforeAll(async () => {
  node = await importHandler();
  direct = node.createHandler(node.load, model);
});

describe("the model", () => {
  it("is opened by the first image, once, and again when that failed", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    let loads = 0;
    const handle = node.createHandler(async () => {
      if (++loads === 1) throw new Error("no memory");
      return node.load();
    }, model);
    expect((await send(handle, "seven")).status).toBe(415);
    expect(loads).toBe(0);
    const failed = await Promise.all([send(handle, sample), send(handle, sample)]);
    expect(failed.map(({ status }) => status)).toEqual([503, 503]);
    expect(await failed[0]!.json()).toEqual({ error: "model: expected it to open, got an error; try again" });
    expect(loads).toBe(1);
    const answers = await Promise.all([1, 2, 3].map(() => text(send(handle, sample))));
    expect(new Set(answers)).toEqual(new Set([await text(send(direct, sample))]));
    expect(loads).toBe(2);
    expect(log).toHaveBeenCalledTimes(2);
    log.mockRestore();
  });

  it("gives its engine back when the file is none", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const engine = await node.load();
    const handle = node.createHandler(async () => engine, model.subarray(0, 1000));
    const response = await send(handle, sample);
    expect(response.status).toBe(503);
    expect(engine.runtime.disposed).toBe(true);
    log.mockRestore();
  });

  it("is the one that the README speaks of, and answers as it says", async () => {
    const page = readFileSync(`${folder}README.md`, "utf8");
    expect(page).toContain(createHash("sha256").update(model).digest("hex"));
    expect(model.length).toBeLessThan(100_000);
    const [, shown] = /^```json\n(.*?)^```$/ms.exec(page)!;
    expect(JSON.parse(shown!)).toEqual(JSON.parse(await text(post(sample))));
  });
});

describe("the servers have the Worker's answer:", () => {
  const bin = `${root}test/node_modules/.bin/`;
  const home = mkdtempSync(join(tmpdir(), "im2row-edge-worker-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it.each([
    ["Node", [process.execPath, "--import", "tsx", `${folder}node.ts`]],
    ["Bun", [`${bin}bun`, "--no-install", `${folder}server.ts`]],
    [
      "Deno",
      [
        `${bin}deno`,
        "serve",
        "--no-remote",
        "--allow-read",
        "--host=127.0.0.1",
        "--port=0",
        `${folder}server.ts`,
      ],
    ],
  ])("%s", async (_, [command, ...args]) => {
    const env = {
      ...process.env,
      HOME: home,
      XDG_CACHE_HOME: home,
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      PORT: "0",
    };
    // A group of its own, since a command may start another one.
    const child = spawn(command!, args, {
      cwd: root,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      const port = await new Promise<string>((resolve, reject) => {
        let printed = "";
        const listen = (output: Buffer): void => {
          printed += String(output);
          const found = /http:\/\/\S+?:(\d+)/.exec(printed);
          if (found) resolve(found[1]!);
        };
        child.stdout.on("data", listen);
        child.stderr.on("data", listen);
        child.once("error", reject);
        child.once("exit", (code) => reject(new Error(`exit code ${code} after ${JSON.stringify(printed)}`)));
      });
      const address = `http://127.0.0.1:${port}/`;
      const postThere = (body: Body): Promise<Response> => fetch(address, postOf(body));
      const answer = await text(post(sample));
      expect(await text(postThere(sample))).toBe(answer);
      expect((await postThere(new Uint8Array(LIMIT + 1))).status).toBe(413);
      expect(await text(postThere(sample))).toBe(answer);
    } finally {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
  });
});
