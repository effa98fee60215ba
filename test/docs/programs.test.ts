/** The programs of docs/server.md run as they stand there, on the package as it is built. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { json } from "node:stream/consumers";
import { transform } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { layers, load, loadModel, sequential, tensor } from "../../src/index.ts";
import { root } from "../support/tarball.ts";
import { noise } from "../support/model.ts";
import { filesOf } from "./pages.ts";

let folder: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "im2row-programs-"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/im2row"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [file, code] of filesOf("docs/server.md")) {
    const { code: plain } = await transform(code, { loader: "ts", target: "es2022" });
    writeFileSync(join(folder, file.replace(/\.ts$/, ".js")), plain);
  }
});
afterEach(() => {
  for (const each of running) each.kill("SIGKILL");
  running.clear();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a program; `line` waits for the next line that it prints, and `ended` for its end. */
function start(...args: string[]) {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    line: async (): Promise<string> => (await lines.next()).value as string,
    ended: once(child, "exit") as Promise<[code: number | null, signal: string | null]>,
  };
}

describe("the server of docs/server.md", () => {
  const net = sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 5, activation: "relu" }),
      layers.flatten(),
      layers.dense({ units: 10 }),
    ],
    seed: 3,
  });
  const images = Array.from({ length: 12 }, (_, i) => noise(i + 1, 784).data);
  const post = (port: string, body: Float32Array): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}`, {
      method: "POST",
      body: Uint8Array.from(Buffer.from(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength)),
    });

  /** Begins a request; when the server has `received` it, `finish` sends its body and returns the answer. */
  function begin(port: string, data: Float32Array) {
    const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const headers = { expect: "100-continue", "content-length": body.length };
    const sent = request({ host: "127.0.0.1", port, method: "POST", agent: false, headers });
    const received = once(sent, "continue");
    sent.flushHeaders();
    const finish = async (): Promise<unknown> => {
      const answer = once(sent, "response") as Promise<[IncomingMessage]>;
      sent.end(body);
      return json((await answer)[0]);
    };
    return { received, finish };
  }

  /** Waits until the server takes no new connection. */
  async function refusing(port: string): Promise<void> {
    for (;;) {
      const socket = connect(Number(port), "127.0.0.1");
      const open = await once(socket, "connect").then(
        () => true,
        () => false,
      );
      socket.destroy();
      if (!open) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it("answers with the bits of predict, refuses what is no image, and answers all before it stops", async () => {
    writeFileSync(join(folder, "net.safetensors"), net.toSafetensors());
    const { child, line, ended } = start("server.js", "net.safetensors");
    const port = await line();
    const scores = async (body: Float32Array): Promise<unknown> => (await post(port, body)).json();
    const engine = await load();
    net.compile({ engine });
    const expected = images.map((data) => [...net.predict(tensor(data, [1, 28, 28, 1])).data]);
    expect(await Promise.all(images.map(scores))).toEqual(expected);

    const wrong = await post(port, images[0]!.subarray(1));
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("tensor: expected 784 elements for shape 1×28×28×1, got 783");
    expect((await post(port, new Float32Array(2 ** 19))).status).toBe(413);
    expect(await scores(images[1]!)).toEqual(expected[1]);

    const last = images.map((data) => begin(port, data));
    await Promise.all(last.map(({ received }) => received));
    child.kill("SIGTERM");
    await refusing(port);
    expect(await Promise.all(last.map(({ finish }) => finish()))).toEqual(expected);
    expect(await ended).toEqual([0, null]);
    engine.dispose();
  });
});

it("the pool of docs/server.md outlives workers that end or never answer, and refuses when it has too much to do", async () => {
  const home = join(folder, "pool");
  mkdirSync(home);
  const limit = "MOST_MILLISECONDS = 5e3";
  const pool = readFileSync(join(folder, "pool.js"), "utf8");
  expect(pool).toContain(limit);
  writeFileSync(join(home, "pool.js"), pool.replace(limit, "MOST_MILLISECONDS = 1000"));
  writeFileSync(
    join(home, "worker.js"),
    `import { parentPort } from "node:worker_threads";
    parentPort.on("message", (pixels) => {
      if (pixels[0] === 1) for (;;);
      if (pixels[0] === 2) process.exit();
      parentPort.postMessage({ scores: pixels });
    });`,
  );
  writeFileSync(
    join(home, "check.js"),
    `import { Pool } from "./pool.js";
    const pool = await Pool.open(new Uint8Array(0), 2);
    const run = (first) => pool.run(Float32Array.of(first)).then((scores) => scores[0], ({ message }) => message);
    const found = [await Promise.all([run(1), run(2), run(3), run(4)])];
    const many = await Promise.all(Array.from({ length: 105 }, (_, i) => run(10 + i)));
    found.push(many.filter((each) => each === "busy").length, many[0], many[101]);
    await pool.close();
    console.log(JSON.stringify(found));`,
  );
  const { line, ended } = start("pool/check.js");
  const lost = "the worker ended, or was too slow";
  expect(JSON.parse(await line())).toEqual([[lost, lost, 3, 4], 3, 10, 111]);
  expect(await ended).toEqual([0, null]);
});

it("the training of docs/server.md saves what it has learned when it is told to stop", async () => {
  const { child, line, ended } = start("train.js", join(folder, "learned.safetensors"));
  expect(await line()).toBe("training");
  child.kill("SIGTERM");
  expect(await line()).toBe("saved");
  expect(await ended).toEqual([0, null]);
  const learned = loadModel(readFileSync(join(folder, "learned.safetensors")));
  const fresh = sequential({ inputShape: [16], layers: [layers.dense({ units: 4 })], seed: 1 });
  expect(learned.weights).not.toEqual(fresh.weights);
});
