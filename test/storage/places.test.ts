/** Places that a host does not have, and what is no place anywhere. */
import { fileURLToPath } from "node:url";
import { runInNewContext } from "node:vm";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import type * as storage from "../../src/storage.ts";

let script: string;
beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../src/storage.ts", import.meta.url))],
    bundle: true,
    format: "iife",
    globalName: "storage",
    platform: "neutral",
    write: false,
  });
  script = `${outputFiles[0]!.text}; storage`;
}, 60_000);

/** The entry, on a host that has these globals besides those of the language. */
const onHost = (globals: object): typeof storage =>
  runInNewContext(script, { URL, ...globals }) as typeof storage;

const model = { toSafetensors: () => new Uint8Array(8) };
const worker = { fetch, indexedDB: {}, location: new URL("https://example.com/app/") };
const page = { ...worker, document: {} };
const edge = { fetch };
const node20 = { fetch, process: { versions: { node: "20.11.0" } } };

/** The message of a refusal by an OptionError. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = (await work.then(
    () => new Error("nothing was refused"),
    (refused: unknown) => refused,
  )) as Error;
  expect(error.name, error.message).toBe("OptionError");
  return error.message;
}

describe("saving", () => {
  it.each([
    [
      "a page",
      page,
      "m.safetensors",
      'indexeddb://name or download://name, got "m.safetensors": this host has no file system',
    ],
    [
      "a page",
      page,
      "https://a.b/c",
      'indexeddb://name or download://name, got "https://a.b/c": https://… is not for this',
    ],
    [
      "a worker",
      worker,
      "download://m",
      'indexeddb://name, got "download://m": this host has no page to offer a download',
    ],
    [
      "an edge host",
      edge,
      "indexeddb://m",
      'a host with a file system or IndexedDB, got "indexeddb://m": this host has no IndexedDB',
    ],
    [
      "an old Node",
      node20,
      "m",
      'a host with a file system or IndexedDB, got "m": Node 20.11.0 has no process.getBuiltinModule: Node 20.16',
    ],
    [
      "Node",
      { fetch, process },
      "indexeddb://m",
      'a file path, got "indexeddb://m": this host has no IndexedDB',
    ],
    ["Node", { fetch, process }, "download://m", 'a file path, got "download://m": this host has no page'],
  ])("on %s %#", async (_, globals, place, message) => {
    expect(await refusal(onHost(globals).saveModel(model, place))).toContain(
      `saveModel: place: expected ${message}`,
    );
  });
});

describe("opening", () => {
  it.each([
    [
      "a page",
      page,
      "m",
      'indexeddb://name or https://…, got "m": this host has no file system; new URL(path, location.href) is a file of this site',
    ],
    [
      "a page",
      page,
      "download://m",
      'indexeddb://name or https://…, got "download://m": download://name is not for this: save alone',
    ],
    ["an edge host", edge, "file:///m", 'https://…, got "file:///m": this host has no file system'],
    ["Node", { fetch, process }, "indexeddb://m", 'a file path or https://…, got "indexeddb://m"'],
    [
      "a sandbox",
      {},
      "https://a.b/c",
      'a host with a file system or IndexedDB, got "https://a.b/c": this host has no fetch',
    ],
  ])("on %s %#", async (_, globals, place, message) => {
    expect(await refusal(onHost(globals).openModel(place))).toContain(
      `openModel: place: expected ${message}`,
    );
  });
});

it("lists and removes where there is something to list", async () => {
  expect(await refusal(onHost(edge).listModels())).toContain("listModels: place: expected");
  expect(await refusal(onHost(page).removeModel("m.safetensors"))).toContain(
    'expected indexeddb://name or https://…, got "m.safetensors": a file path is not for this: save and open alone',
  );
});

it.each([
  ["s3://bucket/m", "nothing is known of s3://"],
  ["indexeddb://", "it has no name"],
  ["download://", "it has no name"],
  ["download://a/b", "the name of a download has no folders"],
  ["", "a place is a text or a URL"],
  [undefined, "a place is a text or a URL"],
  [7, "a place is a text or a URL"],
  [{}, "a place is a text or a URL"],
])("%j is no place", async (place, message) => {
  expect(await refusal(onHost(page).saveModel(model, place as string))).toContain(message);
});

it("refuses a file: address that is no path", async () => {
  expect(await refusal(onHost({ process }).openBytes("file:///a%2Fb"))).toContain(
    "must not include encoded /",
  );
});

it("refuses an integrity where there is no WebCrypto", async () => {
  const integrity = `sha256-${"A".repeat(43)}=`;
  const refused = onHost(page).openBytes("https://example.com/m", { integrity });
  await expect(refused).rejects.toMatchObject({
    name: "StorageError",
    message: expect.stringContaining(
      "integrity: expected a host with WebCrypto, got one without crypto.subtle",
    ),
  });
});
