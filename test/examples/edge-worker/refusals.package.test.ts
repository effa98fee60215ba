/** The Worker refuses bad requests, and answers others whatever makes no difference. */
import { request } from "node:http";
import { deflateSync } from "node:zlib";
import { encode } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  type Body,
  chunk,
  type Handle,
  header,
  HEADER_END,
  importHandler,
  LIMIT,
  model,
  png,
  sample,
  send,
  SIDE,
  SIGNATURE,
  text,
  useWorker,
  withChunk,
} from "./support.ts";

const { address, post } = useWorker();
let direct: Handle;
beforeAll(async () => {
  const { createHandler, load } = await importHandler();
  direct = createHandler(load, model);
});

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
    ["half a signature", sample.subarray(0, 5), 400, `${expected} a PNG image that breaks off after 5 bytes`],
    [
      "half an image",
      sample.subarray(0, 300),
      400,
      `${expected} a PNG image that breaks off after 300 bytes`,
    ],
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
      `${expected} a PNG image that does not begin with a header`,
    ],
    ["a huge header", Buffer.concat([SIGNATURE, header(60000, 60000)]), 422, `${expected} 60000×60000`],
    ["a huger header", Buffer.concat([SIGNATURE, header(2 ** 32 - 1, 28)]), 422, `${expected} 4294967295×28`],
    [
      "colours that PNG has not",
      Buffer.concat([SIGNATURE, header(28, 28, 8, 5)]),
      400,
      `${expected} a PNG image of colour type 5 with a depth of 8`,
    ],
    [
      "a depth that PNG has not",
      Buffer.concat([SIGNATURE, header(28, 28, 4, 2)]),
      400,
      `${expected} a PNG image of colour type 2 with a depth of 4`,
    ],
    [
      "a second, huge header",
      withChunk(header(60000, 60000)),
      400,
      `${expected} a PNG image with a chunk IHDR that it cannot be shown without`,
    ],
    [
      "10 MB of pixels",
      Buffer.concat([SIGNATURE, header(28, 28), chunk("IDAT", zeros), chunk("IEND", new Uint8Array(0))]),
      400,
      `${expected} a PNG image that has more than its 812 bytes of pixels`,
    ],
    [
      "places in no palette",
      Buffer.concat([black.subarray(0, HEADER_END), black.subarray(HEADER_END + PALETTE_BYTES)]),
      400,
      `${expected} a PNG image without its palette`,
    ],
    [
      "a colour that the palette has not",
      png(new Uint8Array(784).fill(3), { palette: [[0, 0, 0]] }),
      400,
      `${expected} a PNG image with a pixel of colour 3, where its palette has 1`,
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
      const sending = request(address(), { method: "POST", headers }, (response) => {
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
      const response = await fetch(address(), { method });
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
    ["a frame of an animation", () => withChunk(chunk("fcTL", new Uint8Array(26)))],
    ["bytes after the end, up to the limit", () => Buffer.concat([sample], LIMIT)],
  ])("%s", async (_, body) => {
    expect(await text(post(body()))).toBe(await text(post(sample)));
  });
});
