/** Files from a server on this machine. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { layers, MemoryError, sequential } from "../../src/index.ts";
import { openBytes, openModel, removeModel, StorageError } from "../../src/storage.ts";

const model = sequential({ inputShape: [30], layers: [layers.dense({ units: 2000 })], seed: 3 });
const FILE = model.toSafetensors();
const integrityOf = (bytes: Uint8Array): string =>
  `sha256-${createHash("sha256").update(bytes).digest("base64")}`;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server has by path; `/model` is what a test puts there. */
const answers: Record<string, Answer> = {
  "/plain": (_, response) => response.setHeader("content-length", FILE.length).end(FILE),
  "/chunked": (_, response) => {
    response.write(FILE.subarray(0, 1000));
    response.end(FILE.subarray(1000));
  },
  "/gzip": (_, response) => response.setHeader("content-encoding", "gzip").end(gzipSync(FILE)),
  "/there": (_, response) => response.writeHead(302, { location: "/plain" }).end(),
  "/round": (_, response) => response.writeHead(302, { location: "/round" }).end(),
  "/broken": (_, response) => response.writeHead(503, "Not now").end("try later"),
  "/page": (_, response) => response.end("<!doctype html>"),
  "/cut": (_, response) => {
    response.setHeader("content-length", FILE.length).write(FILE.subarray(0, 1000));
    setTimeout(() => response.destroy(), 50);
  },
  "/silent": (_, response) =>
    void response.setHeader("content-length", FILE.length).write(FILE.subarray(0, 10)),
  "/endless": (_, response) => {
    const chunk = new Uint8Array(65536);
    const more = (): void => {
      while (response.write(chunk));
    };
    response.on("drain", more);
    more();
  },
};

let server: Server;
let url: string;
const seen: string[] = [];
/** Connections that a client ended before the answer's end. */
let ended = 0;
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.url!);
    response.on("close", () => (ended += Number(!response.writableFinished)));
    const answer = answers[new URL(request.url!, "http://localhost").pathname];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  seen.length = 0;
  ended = 0;
});

describe("a file from the web", () => {
  it.each(["/plain", "/chunked", "/gzip", "/there"])("%s has the model's bits", async (path) => {
    const opened = await openModel(new URL(path, url));
    expect(Buffer.compare(opened.toSafetensors(), FILE)).toBe(0);
  });

  it("tells how far it is, and how much there is where the server says so", async () => {
    for (const [path, total] of [
      ["/plain", FILE.length],
      ["/chunked", undefined],
      ["/gzip", undefined],
    ] as const) {
      const told: { loaded: number; total: number | undefined }[] = [];
      await openBytes(url + path, { onProgress: (progress) => told.push(progress) });
      expect(told.at(-1)).toEqual({ loaded: FILE.length, total });
      expect(told.every(({ loaded }, i) => i === 0 || loaded > told[i - 1]!.loaded)).toBe(true);
    }
  });

  it.each([
    ["/none", "expected a file, got HTTP 404"],
    ["/broken", "expected a file, got HTTP 503 Not now"],
    ["/round", "expected an answer, got"],
    ["/cut", "expected the file to its end, got"],
  ])("%s is refused by name", async (path, message) => {
    const refused = openModel(url + path);
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toThrow(`openModel: ${url}${path}: ${message}`);
  });

  it("that is a page is refused by name", async () => {
    await expect(openModel(`${url}/page`)).rejects.toThrow(`openModel: ${url}/page: header length: expected`);
  });

  it("of a server that is not there is refused with the cause", async () => {
    const refused = openModel("http://127.0.0.1:9/model");
    await expect(refused).rejects.toMatchObject({ name: "StorageError", cause: expect.any(TypeError) });
  });

  it("without an end is refused when it is too long, and the transfer ends", async () => {
    let most = 0;
    const refused = openBytes(`${url}/endless`, {
      maximumBytes: 3_000_000,
      onProgress: ({ loaded }) => (most = loaded),
    });
    await expect(refused).rejects.toThrow(MemoryError);
    await expect(refused).rejects.toThrow("expected at most 3000000 bytes, got more");
    expect(most).toBeLessThanOrEqual(3_000_000);
    await vi.waitFor(() => expect(ended).toBe(1));
  });

  it("is refused by the length that is announced", async () => {
    const refused = openBytes(`${url}/silent`, { maximumBytes: 1000 });
    await expect(refused).rejects.toThrow(`expected at most 1000 bytes, got ${FILE.length}`);
    await vi.waitFor(() => expect(ended).toBe(1));
  });

  it.each(["/silent", "/endless"])("%s ends with the reason of a signal", async (path) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const opening = openBytes(url + path, {
      signal: controller.signal,
      onProgress: () => void setTimeout(() => controller.abort(reason)),
    });
    await expect(opening).rejects.toBe(reason);
    await vi.waitFor(() => expect(ended).toBe(1));
  });

  it("ends with the error of a callback", async () => {
    const opening = openBytes(`${url}/endless`, {
      onProgress() {
        throw new RangeError("of the caller");
      },
    });
    await expect(opening).rejects.toThrow(new RangeError("of the caller"));
    await vi.waitFor(() => expect(ended).toBe(1));
  });

  it("does not leave https: by a redirect", async () => {
    const answer = { ok: true, url: "http://elsewhere/model", headers: new Headers(), body: null };
    vi.stubGlobal("fetch", () => Promise.resolve(answer));
    try {
      await expect(openBytes("https://example.com/model")).rejects.toThrow(
        "openBytes: https://example.com/model: expected redirects within https:, got one to http://elsewhere/model",
      );
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

/** Caches as the host's: whole responses by address. */
function memoryCaches(): { stored: Map<string, Uint8Array>; open: (name: string) => Promise<unknown> } {
  const stored = new Map<string, Uint8Array>();
  const cache = {
    match: (address: string) => {
      const bytes = stored.get(address);
      return Promise.resolve(bytes && new Response(bytes.slice()));
    },
    put: async (address: string, response: Response) =>
      void stored.set(address, new Uint8Array(await response.arrayBuffer())),
    delete: (address: string) => Promise.resolve(stored.delete(address)),
  };
  return { stored, open: () => Promise.resolve(cache) };
}

describe("the cache", () => {
  const next = FILE.slice();
  next[next.length - 1]! ^= 1;
  let caches: ReturnType<typeof memoryCaches>;
  let address: string;
  beforeEach(() => {
    caches = memoryCaches();
    vi.stubGlobal("caches", caches);
    answers["/model"] = (_, response) => response.end(FILE);
    address = `${url}/model`;
  });
  afterEach(() => vi.unstubAllGlobals());

  it("keeps what has the integrity, and is asked first", async () => {
    const integrity = integrityOf(FILE);
    const told: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const bytes = await openBytes(address, { integrity, onProgress: (progress) => told.push(progress) });
      expect(Buffer.compare(bytes, FILE)).toBe(0);
    }
    expect(seen).toEqual(["/model"]);
    expect(told.at(-1)).toEqual({ loaded: FILE.length, total: FILE.length });
    expect(await removeModel(address)).toBe(true);
    expect(await removeModel(address)).toBe(false);
    await openBytes(address, { integrity });
    expect(seen).toHaveLength(2);
  });

  it("downloads anew for a new integrity, and keeps one copy", async () => {
    await openBytes(address, { integrity: integrityOf(FILE) });
    answers["/model"] = (_, response) => response.end(next);
    expect(Buffer.compare(await openBytes(address, { integrity: integrityOf(next) }), next)).toBe(0);
    expect(seen).toHaveLength(2);
    expect([...caches.stored.values()]).toEqual([next]);
  });

  it("keeps nothing that is not what the integrity says, and a damaged copy is not used", async () => {
    await expect(openBytes(address, { integrity: integrityOf(next) })).rejects.toThrow(StorageError);
    expect(caches.stored.size).toBe(0);
    caches.stored.set(address, next);
    expect(Buffer.compare(await openBytes(address, { integrity: integrityOf(FILE) }), FILE)).toBe(0);
    expect([...caches.stored.values()]).toEqual([FILE]);
  });

  it("is left alone by cache: false, and without an integrity", async () => {
    const integrity = integrityOf(FILE);
    await openBytes(address, { integrity, cache: false });
    await openBytes(address);
    expect(caches.stored.size).toBe(0);
    caches.stored.set(address, FILE);
    await openBytes(address, { integrity, cache: false });
    expect(seen).toHaveLength(3);
  });

  it("may be forbidden or full", async () => {
    const integrity = integrityOf(FILE);
    const refuse = (): Promise<never> => Promise.reject(new DOMException("no room", "QuotaExceededError"));
    for (const open of [refuse, () => Promise.resolve({ match: refuse, put: refuse })]) {
      vi.stubGlobal("caches", { open });
      expect(await openBytes(address, { integrity })).toHaveLength(FILE.length);
    }
    expect(seen).toHaveLength(2);
  });
});
