/** The places of a browser, in Chromium: IndexedDB, downloads, the cache. The package is what `dist/` has, bundled. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { layers, sequential } from "../../src/index.ts";
import { absentChromium, launchChromium } from "../matrix/launchers/chromium.ts";
import { HOME } from "../matrix/paths.ts";
import { root } from "../support/tarball.ts";

type Api = typeof import("../../src/index.ts") & typeof import("../../src/storage.ts");
declare const api: Api;

const PROGRAM = `
  export { layers, load, sequential, tensor } from "im2row";
  export * from "im2row/storage";`;

/** A worker that saves and opens, and says what it is refused. */
const WORKER = `
  import { layers, sequential } from "im2row";
  import { openModel, saveModel } from "im2row/storage";
  const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })], seed: 4 });
  const work = async () => {
    await saveModel(model, "indexeddb://of the worker");
    const { seed } = await openModel("indexeddb://of the worker");
    return [seed, await saveModel(model, "download://m").catch((error) => error.message)];
  };
  work().then(postMessage, (error) => postMessage(String(error)));`;

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    // The package by its own export map, not by the paths of this project's TypeScript.
    tsconfigRaw: {},
    bundle: true,
    format: "iife",
    globalName: "api",
    platform: "browser",
    write: false,
  });
  return outputFiles[0]!.text;
}

const net = (seed: number, units = 3) =>
  sequential({ inputShape: [50], layers: [layers.dense({ units })], seed });
const integrityOf = (bytes: Uint8Array): string =>
  `sha256-${createHash("sha256").update(bytes).digest("base64")}`;

describe.skipIf(absentChromium() !== undefined)("in Chromium", () => {
  const files: Record<string, string | Uint8Array> = {
    "/": "<!doctype html><script src=program.js></script>",
  };
  const seen: string[] = [];
  let server: Server;
  let url: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    [files["/program.js"], files["/worker.js"]] = await Promise.all([bundled(PROGRAM), bundled(WORKER)]);
    server = createServer((request, response) => {
      seen.push(request.url!);
      const file = files[request.url!];
      response.setHeader("content-security-policy", "default-src 'self' 'wasm-unsafe-eval'");
      const type = request.url!.endsWith(".js") ? "text/javascript" : "text/html";
      // What has a hash in no name is said to stay the same, as servers do by mistake.
      response.setHeader("cache-control", "max-age=3600");
      if (file === undefined) response.writeHead(404).end();
      else response.setHeader("content-type", type).end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    mkdirSync(HOME, { recursive: true });
    ({ browser } = await launchChromium());
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(HOME, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await openPage();
    seen.length = 0;
  });
  afterEach(() => context.close());

  async function openPage(): Promise<Page> {
    const opened = await context.newPage();
    await opened.goto(url);
    return opened;
  }

  const save = (seed: number, place: string): Promise<void> =>
    page.evaluate(([bytes, at]) => api.saveBytes(Uint8Array.from(bytes), at), [
      [...net(seed).toSafetensors()],
      place,
    ] as const);
  const seedOf = (place: string): Promise<number> =>
    page.evaluate(async (at) => (await api.openModel(at)).seed, place);
  /** The error that opening ends with, as text. */
  const refusal = (place: string, options = {}): Promise<string> =>
    page.evaluate(([at, given]) => api.openBytes(at, given).then(() => "opened", String), [
      place,
      options,
    ] as const);

  it("a model that was trained in the page is the same after it was loaded again", async () => {
    const outputs = (): Promise<number[]> =>
      page.evaluate(async () => {
        const model = await api.openModel("indexeddb://mine/first one");
        model.compile({ engine: await api.load() });
        return [...model.predict(api.tensor([0.1, 0.7], [1, 2])).data];
      });
    const before = await page.evaluate(async () => {
      const model = api.sequential({ inputShape: [2], layers: [api.layers.dense({ units: 3 })], seed: 8 });
      model.compile({ engine: await api.load() });
      await api.saveModel(model, "indexeddb://mine/first one");
      return [...model.predict(api.tensor([0.1, 0.7], [1, 2])).data];
    });
    expect(before.every((value) => value !== 0)).toBe(true);
    await page.reload();
    expect(await outputs()).toEqual(before);
    await page.close();
    page = await openPage();
    expect(await outputs()).toEqual(before);
  });

  it("models are listed by name, replaced and removed", async () => {
    const list = (): Promise<unknown> =>
      page.evaluate(async () => (await api.listModels()).map(({ place, bytes }) => [place, bytes]));
    expect(await list()).toEqual([]);
    for (const [seed, name] of [
      [1, "b"],
      [2, "a"],
      [3, "b"],
    ] as const) {
      await save(seed, `indexeddb://${name}`);
    }
    const size = net(3).toSafetensors().length;
    expect(await list()).toEqual([
      ["indexeddb://a", size],
      ["indexeddb://b", size],
    ]);
    expect(await seedOf("indexeddb://b")).toBe(3);
    const age = await page.evaluate(async () => Date.now() - (await api.listModels())[1]!.saved.getTime());
    expect(Math.abs(age)).toBeLessThan(60_000);
    expect(await page.evaluate(() => api.removeModel("indexeddb://b"))).toBe(true);
    expect(await page.evaluate(() => api.removeModel("indexeddb://b"))).toBe(false);
    expect(await list()).toEqual([["indexeddb://a", size]]);
    expect(await refusal("indexeddb://b")).toBe(
      "StorageError: openBytes: indexeddb://b: expected a model that was saved there, got none",
    );
    expect(await refusal("indexeddb://a", { maximumBytes: 10 })).toContain(`at most 10 bytes, got ${size}`);
    expect(await refusal("indexeddb://a", { integrity: integrityOf(new Uint8Array(1)) })).toContain(
      `got ${integrityOf(net(2).toSafetensors())}`,
    );
  });

  it("a view is saved without the buffer around it", async () => {
    const stored = await page.evaluate(async () => {
      await api.saveBytes(new Uint8Array(1000).fill(7).subarray(10, 15), "indexeddb://view");
      const bytes = await api.openBytes("indexeddb://view");
      return [bytes.length, bytes.buffer.byteLength];
    });
    expect(stored).toEqual([5, 5]);
  });

  it("a worker has IndexedDB, and no downloads", async () => {
    const answer = await page.evaluate(
      () =>
        new Promise((resolve) => {
          new Worker("worker.js").addEventListener("message", ({ data }) => resolve(data));
        }),
    );
    expect(answer).toEqual([
      4,
      'saveModel: place: expected indexeddb://name, got "download://m": this host has no page to offer a download',
    ]);
    expect(await seedOf("indexeddb://of the worker")).toBe(4);
  });

  it("a save that is aborted, or for which there is no room, leaves the old model", async () => {
    // Before anything is saved: Chromium remembers for a while how much room there was.
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: url, quotaSize: 1e6 });
    await save(1, "indexeddb://kept");
    const aborted = await page.evaluate(async () => {
      const controller = new AbortController();
      const saving = api.saveBytes(new Uint8Array(5e6), "indexeddb://kept", { signal: controller.signal });
      controller.abort(new Error("enough"));
      return saving.then(() => "saved", String);
    });
    expect(aborted).toBe("Error: enough");
    const full = await page.evaluate(() =>
      api.saveBytes(new Uint8Array(5e6), "indexeddb://kept").then(
        () => "saved",
        (error: Error) => [String(error), (error.cause as Error).name],
      ),
    );
    expect(full).toEqual([
      "StorageError: saveBytes: indexeddb://kept: expected IndexedDB to do it, got no more room: the browser's quota for " +
        "this site is used up",
      "QuotaExceededError",
    ]);
    expect(await seedOf("indexeddb://kept")).toBe(1);
  });

  it("a save that is aborted at any time tells whether it took place", async () => {
    const told = await page.evaluate(async () => {
      let now = 1;
      await api.saveBytes(new Uint8Array(3e6).fill(now), "indexeddb://m");
      const wrong: string[] = [];
      for (let next = 2; next < 22; next++) {
        const controller = new AbortController();
        setTimeout(() => controller.abort(new Error("enough")), 2 * (next - 2));
        const bytes = new Uint8Array(3e6).fill(next);
        const ended = await api
          .saveBytes(bytes, "indexeddb://m", { signal: controller.signal })
          .then(() => "saved", String);
        if (ended === "saved") now = next;
        else if (ended !== "Error: enough") wrong.push(ended);
        const found = [...new Set(await api.openBytes("indexeddb://m"))];
        if (found.join() !== String(now)) wrong.push(`${ended}: ${found.join()} instead of ${now}`);
      }
      return wrong;
    });
    expect(told).toEqual([]);
  });

  it("a page that is closed in the middle of a save leaves the old model or the new one", async () => {
    const size = 1e7;
    await page.evaluate((length) => api.saveBytes(new Uint8Array(length), "indexeddb://large"), size);
    const found = new Set<number>();
    for (let trial = 1; trial <= 5; trial++) {
      const other = await openPage();
      await other.evaluate(
        ([length, value]) => {
          void api.saveBytes(new Uint8Array(length).fill(value), "indexeddb://large");
        },
        [size, trial] as const,
      );
      await new Promise((resolve) => setTimeout(resolve, 5 * trial));
      await other.close();
      const values = await page.evaluate(async () => {
        const bytes = await api.openBytes("indexeddb://large");
        return [bytes.length, ...new Set(bytes)];
      });
      expect(values).toHaveLength(2);
      expect(values[0]).toBe(size);
      found.add(values[1]!);
    }
    expect([...found].every((value) => value <= 5)).toBe(true);
  });

  it("a database of a newer version is left alone", async () => {
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const request = indexedDB.open("im2row", 2);
          request.addEventListener("success", () => {
            request.result.close();
            resolve();
          });
        }),
    );
    expect(await refusal("indexeddb://m")).toBe(
      "StorageError: openBytes: indexeddb://m: expected IndexedDB to do it, got the database of a newer version of the package",
    );
  });

  it("a signal ends the wait for a database that is being deleted", async () => {
    await save(1, "indexeddb://m");
    const reason = await page.evaluate(async () => {
      const held = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open("im2row", 1);
        request.addEventListener("success", () => resolve(request.result));
      });
      indexedDB.deleteDatabase("im2row");
      const signal = AbortSignal.timeout(300);
      const ended = await api.openBytes("indexeddb://m", { signal }).then(() => "opened", String);
      held.close();
      return ended;
    });
    expect(reason).toContain("TimeoutError");
    // Nothing of it is in the way of the next one.
    await save(2, "indexeddb://m");
    expect(await seedOf("indexeddb://m")).toBe(2);
  });

  it("a download is the model's file by its name", async () => {
    const downloading = page.waitForEvent("download");
    await save(6, "download://six.safetensors");
    const download = await downloading;
    expect(download.suggestedFilename()).toBe("six.safetensors");
    expect(Buffer.compare(readFileSync(await download.path()), net(6).toSafetensors())).toBe(0);
  });

  it("a file with an integrity comes once, and then from the cache", async () => {
    const [first, second] = [net(1).toSafetensors(), net(2).toSafetensors()];
    const open = (integrity: string): Promise<number> =>
      page.evaluate(
        async (text) => (await api.openModel(new URL("model", location.href), { integrity: text })).seed,
        integrity,
      );
    files["/model"] = first;
    expect(await open(integrityOf(first))).toBe(1);
    await page.reload();
    await context.setOffline(true);
    expect(await open(integrityOf(first))).toBe(1);
    await context.setOffline(false);
    const requests = (): number => seen.filter((path) => path === "/model").length;
    expect(requests()).toBe(1);
    // The browser's HTTP cache has the old bytes still, and says that they are fresh.
    files["/model"] = second;
    expect(await open(integrityOf(second))).toBe(2);
    expect(requests()).toBe(2);
    expect(await refusal(`${url}/model`, { integrity: integrityOf(first) })).toContain(
      `expected bytes with the integrity ${integrityOf(first)}, got ${integrityOf(second)}`,
    );
    // That refusal took nothing away.
    await context.setOffline(true);
    expect(await open(integrityOf(second))).toBe(2);
    await context.setOffline(false);
    expect(await page.evaluate((at) => api.removeModel(at), `${url}/model`)).toBe(true);
  });

  it("a path is refused, with the address that may be meant", async () => {
    expect(await refusal("model.safetensors")).toBe(
      'OptionError: openBytes: place: expected indexeddb://name or https://…, got "model.safetensors": this host has no file ' +
        "system; new URL(path, location.href) is a file of this site",
    );
  });
});
