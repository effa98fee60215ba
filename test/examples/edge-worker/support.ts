/** The tests of the Worker share these: the Worker itself, its handler in Node, images, and chunks of PNG. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { encode, type ImageData } from "fast-png";
import { beforeAll, expect } from "vitest";
import { bundle, serve } from "./serve.ts";
import { chunk, headerChunk } from "../../support/png.ts";
import { drawDigits } from "../../../src/cli/digits.ts";

type Handler = typeof import("../../../examples/edge-worker/handler.ts");
type Inference = typeof import("im2row/inference");
export type Node = Handler & Pick<Inference, "load">;
export type Handle = (request: Request) => Promise<Response>;
export type Body = string | Uint8Array | ReadableStream | null;

export interface Answer {
  digit: number;
  probabilities: number[];
}

export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const folder = `${root}examples/edge-worker/`;
export const SIDE = 28;
export const LIMIT = 65536;

export const model = readFileSync(`${folder}digits.safetensors`);
export const sample = readFileSync(`${folder}seven.png`);

/** The handler and `load` as an application of Node has them. */
export async function importHandler(): Promise<Node> {
  // A folder of its own, since the files of tests run at once.
  const home = mkdtempSync(join(tmpdir(), "im2row-edge-worker-"));
  try {
    const outfile = join(home, "handler.mjs");
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
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Node;
  } finally {
    rmSync(home, { recursive: true });
  }
}

export const postOf = (body: Body): RequestInit =>
  ({ method: "POST", body, duplex: "half" }) as RequestInit & { body: BodyInit };
export const send = (handle: Handle, body: Body): Promise<Response> =>
  handle(new Request("http://localhost/", postOf(body)));

/** Runs the Worker in workerd while the tests of the file run. */
export function useWorker(): {
  address: () => string;
  post: (body: Body, path?: string) => Promise<Response>;
} {
  let worker: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    worker = await serve(await bundle());
    return () => worker.stop();
  });
  return {
    address: () => worker.address,
    post: (body, path = "") => fetch(worker.address + path, postOf(body)),
  };
}

/** The text of a good answer. */
export async function text(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  const body = await response.text();
  expect({ status: response.status, body }).toEqual({ status: 200, body });
  return body;
}

/** `count` drawn digits as bytes. */
export function draw(count: number, seed: number): { pixels: Uint8Array; label: number }[] {
  const { images, labels } = drawDigits(count, seed);
  return Array.from(labels, (label, i) => ({
    label,
    pixels: Uint8Array.from(images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), (v) =>
      Math.round(255 * v),
    ),
  }));
}

export const png = (data: ImageData["data"], options: Partial<ImageData> = {}): Uint8Array =>
  encode({ width: SIDE, height: SIDE, channels: 1, ...options, data });

export { chunk };

export const header = (width: number, height: number, depth = 8, colours = 0, interlace = 0): Uint8Array =>
  headerChunk(width, height, depth, colours, 0, 0, interlace);

export const SIGNATURE = sample.subarray(0, 8);
/** The sample with something between its header and its pixels. */
export const HEADER_END = 33;
export const withChunk = (added: Uint8Array): Buffer =>
  Buffer.concat([sample.subarray(0, HEADER_END), added, sample.subarray(HEADER_END)]);
