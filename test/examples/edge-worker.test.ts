/** The Worker in workerd over HTTP, the same handler called in Node, and the servers of Node, Deno and Bun. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { deflateSync } from "node:zlib";
import { build } from "esbuild";
import { encode, type ImageData } from "fast-png";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bundle, serve } from "../../examples/edge-worker/serve.ts";
import { drawDigits } from "../../src/cli/digits.ts";

type Handler = typeof import("../../examples/edge-worker/handler.ts");
type Inference = typeof import("im2row/inference");
type Body = string | Uint8Array | ReadableStream | null;

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}examples/edge-worker/`;
const SIDE = 28;
const LIMIT = 65536;

const model = readFileSync(`${folder}digits.safetensors`);
const sample = readFileSync(`${folder}seven.png`);

interface Answer {
  digit: number;
  probabilities: number[];
}

/** `count` drawn digits as bytes. */
function draw(count: number, seed: number): { pixels: Uint8Array; label: number }[] {
  const { images, labels } = drawDigits(count, seed);
  return Array.from(labels, (label, i) => ({
    label,
    pixels: Uint8Array.from(images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), (v) =>
      Math.round(255 * v),
    ),
  }));
}

const png = (data: ImageData["data"], options: Partial<ImageData> = {}): Uint8Array =>
  encode({ width: SIDE, height: SIDE, channels: 1, ...options, data });

/** The handler and `load` as an application of Node has them. */
let node: Handler & Pick<Inference, "load">;
let direct: (request: Request) => Promise<Response>;
let worker: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  const outfile = `${root}node_modules/.cache/im2row-edge-worker/handler.mjs`;
  await build({
    stdin: {
      contents: `export { load } from "im2row/inference"; export * from "./handler.ts";`,
      resolveDir: folder,
    },
    tsconfigRaw: {},
    bundle: true,
    format: "esm",
    platform: "node",
    outfile,
  });
  node = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as typeof node;
  direct = node.createHandler(node.load, model);
  worker = await serve(await bundle());
});

afterAll(() => worker.stop());

const postOf = (body: Body): RequestInit =>
  ({ method: "POST", body, duplex: "half" }) as RequestInit & { body: BodyInit };
const post = (body: Body, path = ""): Promise<Response> => fetch(worker.address + path, postOf(body));
const send = (handle: typeof direct, body: Body): Promise<Response> =>
  handle(new Request("http://localhost/", postOf(body)));

/** The text of a good answer. */
async function text(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const body = await response.text();
  expect({ status: response.status, body }).toEqual({ status: 200, body });
  return body;
}

describe("the Worker", () => {
  it("answers two first requests at once", async () => {
    const [one, other] = await Promise.all([text(post(sample)), text(post(sample))]);
    const { digit, probabilities } = JSON.parse(one) as Answer;
    expect(digit).toBe(7);
    expect(probabilities).toHaveLength(10);
    expect(probabilities[7]).toBe(Math.max(...probabilities));
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(other).toBe(one);
  });

  it("knows drawn digits it was not trained on, with the bits of Node", async () => {
    // Of 10,000 others 99.74 % were right: 4 wrong ones of 100 would be one chance in 6,000.
    let right = 0;
    for (const seed of [101, 102, 103, 104, 105]) {
      for (const { pixels, label } of draw(20, seed)) {
        const body = png(pixels);
        const found = await text(post(body));
        expect(found).toBe(await text(send(direct, body)));
        if ((JSON.parse(found) as Answer).digit === label) right++;
      }
    }
    expect(right).toBeGreaterThanOrEqual(97);
  });

  it("says how it is used", async () => {
    const response = await fetch(worker.address);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await text(Promise.resolve(response))).toMatch(/^POST a PNG image/);
    const head = await fetch(worker.address, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

describe("one image in any form has the same answer:", () => {
  const { pixels } = draw(10, 200).find(({ label }) => label === 4)!;
  const wide = (data: Uint8Array): Uint16Array => Uint16Array.from(data, (value) => 257 * value);
  const each = (pixel: (value: number) => number[]): Uint8Array =>
    Uint8Array.from([...pixels].flatMap(pixel));
  /** Samples of `depth` bits, each row from a new byte. */
  const packed = (depth: number, from = pixels): Uint8Array => {
    const rowBytes = Math.ceil((SIDE * depth) / 8);
    const data = new Uint8Array(SIDE * rowBytes);
    from.forEach((value, i) => {
      const bit = (i % SIDE) * depth;
      data[Math.floor(i / SIDE) * rowBytes + (bit >> 3)]! |=
        (value >> (8 - depth)) << (8 - depth - (bit & 7));
    });
    return data;
  };
  /** The image with as many shades as `depth` bits have. */
  const coarse = (depth: number): Uint8Array =>
    pixels.map((value) => ((value >> (8 - depth)) * 255) / (2 ** depth - 1));
  const greys = (depth: number): number[][] =>
    Array.from({ length: 2 ** depth }, (_, i) =>
      Array.from({ length: 3 }, () => (i * 255) / (2 ** depth - 1)),
    );
  const inverted = pixels.map((value) => 255 - value);
  const rgb = each((v) => [v, v, v]);
  const rgba = each((v) => [v, v, v, 255]);

  it.each<[string, () => Uint8Array, Uint8Array?]>([
    ["RGB", () => png(rgb, { channels: 3 })],
    ["RGBA", () => png(rgba, { channels: 4 })],
    [
      "grey with alpha",
      () =>
        png(
          each((v) => [v, 255]),
          { channels: 2 },
        ),
    ],
    ["16 bits", () => png(wide(pixels), { depth: 16 })],
    ["RGB, 16 bits", () => png(wide(rgb), { channels: 3, depth: 16 })],
    ["RGBA, 16 bits", () => png(wide(rgba), { channels: 4, depth: 16 })],
    ["a palette", () => png(pixels, { palette: greys(8) })],
    [
      "interlaced",
      () => encode({ width: SIDE, height: SIDE, channels: 1, data: pixels }, { interlace: "Adam7" }),
    ],
    ["dark on light", () => png(inverted)],
    [
      "dark on light, RGB",
      () =>
        png(
          each((v) => [255 - v, 255 - v, 255 - v]),
          { channels: 3 },
        ),
    ],
    [
      "white ink on nothing",
      () =>
        png(
          each((v) => [255, 255, 255, v]),
          { channels: 4 },
        ),
    ],
    [
      "black ink on nothing",
      () =>
        png(
          each((v) => [0, 0, 0, v]),
          { channels: 4 },
        ),
    ],
    ["4 bits", () => png(packed(4), { depth: 4 }), coarse(4)],
    ["2 bits", () => png(packed(2), { depth: 2 }), coarse(2)],
    ["1 bit", () => png(packed(1), { depth: 1 }), coarse(1)],
    ["a palette of 4 bits", () => png(packed(4), { depth: 4, palette: greys(4) }), coarse(4)],
    [
      "a palette with nothing as its ground",
      () =>
        png(packed(1), {
          depth: 1,
          palette: [
            [9, 9, 9, 0],
            [255, 255, 255, 255],
          ],
        }),
      coarse(1),
    ],
  ])("%s", async (_, encoded, same = pixels) => {
    const answer = await text(post(encoded()));
    expect((JSON.parse(answer) as Answer).digit).toBe(4);
    expect(answer).toBe(await text(post(png(same))));
  });

  it("red on green is grey by its brightness", async () => {
    const coloured = png(
      each((v) => [v, 255 - v, 0]),
      { channels: 3 },
    );
    const grey = png(
      wide(pixels).map((v) => Math.round((299 * v + 587 * (65535 - v)) / 1000)),
      { depth: 16 },
    );
    const [a, b] = [await text(post(coloured)), await text(post(grey))].map((t) => JSON.parse(t) as Answer);
    a!.probabilities.forEach((p, i) => expect(p).toBeCloseTo(b!.probabilities[i]!, 3));
  });
});

/** A chunk without a checksum, for those that are refused or dropped before it is looked at. */
function chunk(type: string, data: Uint8Array): Uint8Array {
  const result = new Uint8Array(12 + data.length);
  new DataView(result.buffer).setUint32(0, data.length);
  result.set(new TextEncoder().encode(type), 4);
  result.set(data, 8);
  return result;
}

function header(width: number, height: number, depth = 8, colours = 0, interlace = 0): Uint8Array {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setUint32(0, width);
  new DataView(data.buffer).setUint32(4, height);
  data.set([depth, colours, 0, 0, interlace], 8);
  return chunk("IHDR", data);
}

const SIGNATURE = sample.subarray(0, 8);
/** The sample with something between its header and its pixels. */
const HEADER_END = 33;
const withChunk = (added: Uint8Array): Buffer =>
  Buffer.concat([sample.subarray(0, HEADER_END), added, sample.subarray(HEADER_END)]);

describe("what is refused", () => {
  const expected = "body: expected a PNG image of 28×28 pixels, got";
  const zeros = deflateSync(new Uint8Array(10e6), { level: 9 });
  const black = png(new Uint8Array(SIDE * SIDE), { palette: [[0, 0, 0]] });
  const PALETTE_BYTES = 15;

  it.each<[string, Body, number, string]>([
    ["nothing", null, 400, `${expected} nothing`],
    ["no bytes", "", 400, `${expected} nothing`],
    ["a text", "seven", 415, `${expected} what begins with the bytes 73 65 76 65`],
    [
      "a JPEG image",
      Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46),
      415,
      `${expected} what begins with the bytes ff d8 ff e0`,
    ],
    ["half a signature", sample.subarray(0, 5), 400, `${expected} one that breaks off after 5 bytes`],
    ["half an image", sample.subarray(0, 300), 400, `${expected} one that breaks off after 300 bytes`],
    [
      "another size",
      encode({ width: 30, height: 20, channels: 1, data: new Uint8Array(600) }),
      422,
      `${expected} 30×20`,
    ],
    [
      "another chunk first",
      Buffer.concat([SIGNATURE, chunk("IEND", new Uint8Array(0))]),
      400,
      `${expected} one that does not begin with a header`,
    ],
    ["a huge header", Buffer.concat([SIGNATURE, header(60000, 60000)]), 422, `${expected} 60000×60000`],
    ["a huger header", Buffer.concat([SIGNATURE, header(2 ** 32 - 1, 28)]), 422, `${expected} 4294967295×28`],
    [
      "colours that PNG has not",
      Buffer.concat([SIGNATURE, header(28, 28, 8, 5)]),
      400,
      `${expected} one of colour type 5 with a depth of 8`,
    ],
    [
      "a depth that PNG has not",
      Buffer.concat([SIGNATURE, header(28, 28, 4, 2)]),
      400,
      `${expected} one of colour type 2 with a depth of 4`,
    ],
    [
      "what the decoder has not",
      Buffer.concat([SIGNATURE, header(28, 28, 1, 0, 1)]),
      422,
      `${expected} an interlaced one with a depth of 1`,
    ],
    [
      "10 MB of pixels",
      withChunk(chunk("IDAT", zeros)),
      400,
      `${expected} one with more than 8192 bytes of compressed pixels`,
    ],
    [
      "places in no palette",
      Buffer.concat([black.subarray(0, HEADER_END), black.subarray(HEADER_END + PALETTE_BYTES)]),
      400,
      `${expected} a corrupt one (Error: no palette)`,
    ],
    [
      "a colour that the palette has not",
      png(new Uint8Array(784).fill(3), { palette: [[0, 0, 0]] }),
      400,
      `${expected} a corrupt one (RangeError: colour 3 is not in the palette)`,
    ],
    ["too much", new Uint8Array(LIMIT + 1), 413, `body: expected at most 65536 bytes, got 65537`],
    [
      "too much of unknown length",
      new ReadableStream({
        start(controller) {
          for (let i = 0; i < 7; i++) controller.enqueue(new Uint8Array(10_000));
          controller.close();
        },
      }),
      413,
      `body: expected at most 65536 bytes, got more`,
    ],
  ])("%s", async (_, body, status, error) => {
    const response = await post(body);
    expect({ status: response.status, ...((await response.json()) as object) }).toEqual({ status, error });
    expect((JSON.parse(await text(post(sample))) as Answer).digit).toBe(7);
  });

  it("far too much, before it is sent", async () => {
    const headers = { "content-length": 5e9 };
    const [status, answer] = await new Promise<[unknown, string]>((resolve, reject) => {
      const sending = request(worker.address, { method: "POST", headers }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (part: string) => (body += part));
        response.on("end", () => {
          resolve([response.statusCode, body]);
          sending.destroy();
        });
      });
      sending.on("error", reject).flushHeaders();
    });
    expect(status).toBe(413);
    expect(JSON.parse(answer)).toEqual({ error: "body: expected at most 65536 bytes, got 5000000000" });
  });

  it("other methods and paths", async () => {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await fetch(worker.address, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
      expect(await response.json()).toEqual({ error: `method: expected POST, got ${method}` });
    }
    const response = await post(sample, "seven?x=1");
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: "path: expected /, got /seven" });
  });

  it("an image cut off anywhere", async () => {
    for (let size = 0; size < sample.length; size++) {
      expect((await send(direct, sample.subarray(0, size))).status).toBe(400);
    }
  });

  it("an image with any byte broken", async () => {
    for (let i = 0; i < sample.length; i++) {
      const broken = Uint8Array.from(sample);
      broken[i]! ^= 0x10;
      const { status } = await send(direct, broken);
      expect([400, 415, 422], `byte ${i}`).toContain(status);
    }
  });

  it("no more of a body than the limit", async () => {
    let pulled = 0;
    let cancelled = false;
    const body = new ReadableStream({
      pull: (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel: () => void (cancelled = true),
    });
    expect((await send(direct, body)).status).toBe(413);
    expect(cancelled).toBe(true);
    expect(pulled).toBeLessThan(70);
  });

  it("a body that breaks off", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(sample.subarray(0, 100));
      },
      pull: (controller) => controller.error(new Error("gone")),
    });
    const response = await send(direct, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: expect.stringMatching(/^body: expected all of it, got /),
    });
  });
});

describe("what does not matter", () => {
  const junk = deflateSync(new Uint8Array(40e6));

  it.each<[string, () => Buffer]>([
    [
      "a colour profile that unpacks to 40 MB",
      () => withChunk(chunk("iCCP", Buffer.concat([Buffer.from("x\0\0"), junk]))),
    ],
    ["a second, huge header", () => withChunk(header(60000, 60000))],
    ["a frame of an animation", () => withChunk(chunk("fcTL", new Uint8Array(26)))],
    ["the transparent colour of a grey image", () => withChunk(chunk("tRNS", new Uint8Array(2)))],
    ["bytes after the end, up to the limit", () => Buffer.concat([sample], LIMIT)],
  ])("%s", async (_, body) => {
    expect(await text(post(body()))).toBe(await text(post(sample)));
  });
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
  const bin = `${root}node_modules/.bin/`;
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
