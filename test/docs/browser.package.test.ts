/** The programs and the headers of docs/browser.md, in Chromium, as they stand there. The package is what `dist/` has. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build, transform } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { layers, sequential } from "../../src/index.ts";
import type { InferenceModel, KernelEngine } from "../../src/inference.ts";
import { absentChromium, launchChromium } from "../matrix/launchers/chromium.ts";
import { HOME } from "../matrix/paths.ts";
import { root } from "../support/tarball.ts";
import { blocksOf, filesOf } from "./pages.ts";

const PAGE = "docs/browser.md";
const sources = filesOf(PAGE);
const [training, imports, classic] = blocksOf(PAGE).flatMap(({ language, text }) =>
  language === "html" ? [text] : [],
) as [string, string, string];

/** The headers that a block of the page lists, the first of them of this name. */
function headersOf(first: string): Record<string, string> {
  const { text } = blocksOf(PAGE).find((block) => block.language === "text" && block.text.startsWith(first))!;
  const lines = text.trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
}
const POLICY = headersOf("Content-Security-Policy")["Content-Security-Policy"]!;
const ISOLATION = headersOf("Cross-Origin-Opener-Policy");

/** The functions of the page's files, and some of the package. */
interface Api {
  open(place?: string): Promise<{ engine: KernelEngine; model: InferenceModel }>;
  scoresOf(canvas: HTMLCanvasElement, engine: KernelEngine, model: InferenceModel): Float32Array;
  watch(
    video: HTMLVideoElement,
    on: object,
    tell: (scores: Float32Array) => void,
    signal: AbortSignal,
  ): Promise<void>;
  tellThreads(): Promise<string>;
  openBytes(place: string): Promise<Uint8Array>;
  saveBytes(bytes: Uint8Array, place: string): Promise<void>;
}
declare const api: Api;

const PROGRAM = `
  export * from "./open.ts";
  export * from "./watch.ts";
  export * from "./threads.ts";
  export { openBytes, saveBytes } from "im2row/storage";`;

/** A program whose files are those of the page; the package is found by its own export map. */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    plugins: [
      {
        name: "page",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^\.\/[\w-]+\.ts$/ }, ({ path }) =>
            sources.has(path.slice(2)) ? { path: path.slice(2), namespace: "page" } : undefined,
          );
          onLoad({ filter: /.*/, namespace: "page" }, ({ path }) => ({
            contents: sources.get(path)!,
            loader: "ts",
            resolveDir: root,
          }));
        },
      },
    ],
    tsconfigRaw: {},
    bundle: true,
    format: "iife",
    globalName: "api",
    platform: "browser",
    write: false,
  });
  return outputFiles[0]!.text;
}

const sha256 = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe.skipIf(absentChromium() !== undefined)("docs/browser.md, in Chromium:", () => {
  const files: Record<string, string> = {
    "/": training,
    "/empty": "<!doctype html><script src=program.js></script>",
    "/imports": imports,
    "/classic": classic,
  };
  let headers: Record<string, string>;
  let server: Server;
  let url: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    files["/page.js"] = (await transform(sources.get("page.ts")!, { loader: "ts" })).code;
    files["/train.ts"] = await bundled('import "./train.ts";');
    files["/program.js"] = await bundled(PROGRAM);
    server = createServer((request, response) => {
      const path = request.url!;
      const installed = path.startsWith("/node_modules/im2row/")
        ? path.replace("/node_modules/im2row", root)
        : "";
      const file = files[path] ?? (existsSync(installed) ? readFileSync(installed, "utf8") : undefined);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      response.setHeader("content-type", /\.[jt]s$/.test(path) ? "text/javascript" : "text/html");
      if (file === undefined) response.writeHead(404).end();
      else response.end(file);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    mkdirSync(HOME, { recursive: true });
    ({ browser } = await launchChromium([
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ]));
  }, 60_000);
  afterAll(async () => {
    await browser.close();
    server.close();
    server.closeAllConnections();
    rmSync(HOME, { recursive: true, force: true });
  });
  beforeEach(async () => {
    headers = { "Content-Security-Policy": POLICY, ...ISOLATION };
    context = await browser.newContext();
    page = await context.newPage();
  });
  afterEach(() => context.close());

  const told = (): Promise<string> => page.evaluate(() => document.querySelector("output")!.value);
  const waitFor = (pattern: RegExp): Promise<unknown> =>
    page.waitForFunction(
      (text) => new RegExp(text).test(document.querySelector("output")!.value),
      pattern.source,
    );

  it("a worker trains, tells its progress, stops when it is told to, and saves what it has learned", async () => {
    await page.goto(url);
    await page.click("#start");
    await waitFor(/^epoch [2-9]: loss 0\.\d{4}, this batch 0\.\d{4}$/);
    expect(await page.evaluate(() => document.querySelector("progress")!.max)).toBe(128);
    await page.click("#stop");
    await waitFor(/^stopped/);
    expect(await told()).toMatch(/^stopped, accuracy (0\.[5-9]\d|1\.00) \(\d threads\)$/);
    await page.goto(`${url}/empty`);
    const opened = await page.evaluate(async () => {
      const { engine, model } = await api.open();
      const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
      canvas.getContext("2d")!.fillRect(0, 0, 16, 16);
      return [model.metadata.classNames, api.scoresOf(canvas, engine, model).length];
    });
    expect(opened).toEqual([["across", "down"], 2]);
  });

  it("a camera is watched until the signal is aborted", async () => {
    const net = sequential({
      inputShape: [8, 6, 3],
      layers: [layers.globalAveragePooling2d()],
      seed: 1,
    });
    await page.goto(`${url}/empty`);
    const means = await page.evaluate(
      async ([bytes]) => {
        await api.saveBytes(Uint8Array.from(bytes), "indexeddb://means");
        const on = await api.open("indexeddb://means");
        const controller = new AbortController();
        const seen: number[][] = [];
        const video = document.createElement("video");
        const tell = (scores: Float32Array): void => {
          if (seen.push([...scores]) === 3) controller.abort();
        };
        await api.watch(video, on, tell, controller.signal);
        return [seen, (video.srcObject as MediaStream).getTracks().map(({ readyState }) => readyState)];
      },
      [[...net.toSafetensors()]] as const,
    );
    const [seen, tracks] = means as [number[][], string[]];
    expect(tracks).toEqual(["ended"]);
    expect(seen).toHaveLength(3);
    // The picture of Chromium's device is green for the most part.
    for (const [r, g, b] of seen) expect(g! > r! && g! > b! && g! <= 1).toBe(true);
  });

  /** The policy without some words. */
  const without = (pattern: string | RegExp): void => {
    headers["Content-Security-Policy"] = POLICY.replace(pattern, "");
    expect(headers["Content-Security-Policy"]).not.toBe(POLICY);
  };
  const threads = async (): Promise<string> => {
    await page.goto(`${url}/empty`);
    return page.evaluate(() => api.tellThreads().catch(String));
  };

  it("the headers give threads, and no eval", async () => {
    expect(await threads()).toBe("2 threads");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    const evaluated = await page.evaluate(
      () =>
        new Promise((resolve) => {
          addEventListener("securitypolicyviolation", ({ blockedURI }) => resolve(blockedURI));
          const script = document.createElement("script");
          script.textContent = "document.title = 'inline'";
          document.head.append(script);
        }),
    );
    expect(evaluated).toBe("inline");
  });

  it("without the two headers there is one thread, and a reason", async () => {
    headers = { "Content-Security-Policy": POLICY };
    expect(await threads()).toContain("cross-origin isolated");
  });

  it("without 'wasm-unsafe-eval' load rejects, and says so", async () => {
    without(" 'wasm-unsafe-eval'");
    expect(await threads()).toContain("wasm-unsafe-eval");
  });

  it("without worker-src blob: there is one thread, and a reason", async () => {
    without(" blob:");
    expect(await threads()).toMatch(/Content Security Policy|worker-src/i);
  });

  it("without worker-src 'self' a worker of one's own does not start", async () => {
    headers["Content-Security-Policy"] = POLICY.replace("worker-src 'self' blob:", "worker-src blob:");
    await page.goto(url);
    const blocked = page.evaluate(
      () =>
        new Promise((resolve) =>
          addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
            resolve(effectiveDirective),
          ),
        ),
    );
    await page.click("#start");
    expect(await blocked).toBe("worker-src");
  });

  it("without connect-src no model is opened from the web, and IndexedDB is", async () => {
    without("; connect-src 'self'");
    await page.goto(`${url}/empty`);
    const [web, own] = await page.evaluate(async () => {
      await api.saveBytes(new Uint8Array(3), "indexeddb://m");
      return [
        await api.openBytes(`${location.origin}/page.js`).then(() => "opened", String),
        (await api.openBytes("indexeddb://m")).length,
      ];
    });
    expect(web).toContain("StorageError");
    expect(own).toBe(3);
  });

  it.each([
    ["imports", imports],
    ["classic", classic],
  ])(
    "a page without a bundler runs under a policy with the hashes of its scripts: %s",
    async (path, html) => {
      const inline = [...html.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, text]) => sha256(text!));
      headers["Content-Security-Policy"] = POLICY.replace("script-src", `script-src ${inline.join(" ")}`);
      await page.goto(`${url}/${path}`);
      await page.waitForFunction(() => document.title.includes("="));
      expect(await page.title()).toBe("2 + 3 = 5");
      headers["Content-Security-Policy"] = POLICY;
      await page.reload();
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await page.title()).not.toContain("=");
    },
  );

  it("a worker names the file of the package where there is no bundler", async () => {
    files["/plain.js"] = `
      import { load } from "/node_modules/im2row/dist/index.js";
      load().then(({ threads }) => postMessage(threads));`;
    await page.goto(`${url}/empty`);
    const answer = page.evaluate(
      () =>
        new Promise((resolve) =>
          new Worker("/plain.js", { type: "module" }).addEventListener("message", ({ data }) =>
            resolve(data),
          ),
        ),
    );
    expect(await answer).toBe(1);
  });
});
