/** Models in files. That a file is whole whatever fails is shown by `test/cli/save.test.ts`, of the same implementation. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel as loadForInference } from "../../src/inference.ts";
import { FormatError, MemoryError, OptionError, layers, sequential } from "../../src/index.ts";
import { openBytes, openModel, saveBytes, saveModel, StorageError } from "../../src/storage.ts";

const model = sequential({
  inputShape: [8, 8, 1],
  layers: [layers.conv2d({ filters: 4, kernelSize: 3 }), layers.flatten(), layers.dense({ units: 3 })],
  seed: 5,
});
const FILE = model.toSafetensors();
const sri = (algorithm: string, bytes: Uint8Array): string =>
  `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "im2row-storage-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a file", () => {
  it("has the model's bits, by path and by address", async () => {
    const path = join(root, "a model #1.safetensors");
    await saveModel(model, path);
    expect(Buffer.compare(readFileSync(path), FILE)).toBe(0);
    const url = pathToFileURL(path);
    for (const place of [path, url, url.href]) {
      const opened = await openModel(place);
      expect(Buffer.compare(opened.toSafetensors(), FILE)).toBe(0);
    }
    await saveModel(model, pathToFileURL(join(root, "other")));
    expect(loadForInference(await openBytes(join(root, "other"))).outputShape).toEqual([3]);
    expect(readdirSync(root).sort()).toEqual(["a model #1.safetensors", "other"]);
  });

  it("of any kind is saved and opened by its bytes, a view's own alone", async () => {
    const path = join(root, "bytes");
    await saveBytes(new Uint8Array([1, 2, 3, 4]).subarray(1, 3), path);
    expect([...(await openBytes(path))]).toEqual([2, 3]);
    await saveBytes(new Uint8Array(0), path);
    expect(await openBytes(path)).toHaveLength(0);
  });

  it("that cannot be written leaves what was there, and tells the cause", async () => {
    const path = join(root, "missing", "model");
    const refused = saveModel(model, path);
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringMatching(
        /^saveModel: .*missing\/model: expected a file that can be written, got ENOENT/,
      ),
      cause: { code: "ENOENT" },
    });
    await expect(saveModel(model, root)).rejects.toThrow("expected a file that can be written, got EISDIR");
    const unsaved = { toSafetensors: (): Uint8Array => model.toSafetensors().fill(7).subarray(0, -1) };
    const old = join(root, "old");
    writeFileSync(old, FILE);
    const aborted = AbortSignal.abort(new Error("enough"));
    await expect(saveModel(unsaved, old, { signal: aborted })).rejects.toThrow("enough");
    const throwing = {
      toSafetensors(): Uint8Array {
        throw new Error("no file of this");
      },
    };
    await expect(saveModel(throwing, old)).rejects.toThrow("no file of this");
    expect(Buffer.compare(readFileSync(old), FILE)).toBe(0);
  });

  it("that cannot be read is refused with the cause", async () => {
    await expect(openModel(join(root, "none"))).rejects.toMatchObject({
      name: "StorageError",
      message: expect.stringMatching(/^openModel: .*none: expected a file that can be read, got ENOENT/),
      cause: { code: "ENOENT" },
    });
    await expect(openModel(root)).rejects.toThrow("expected a file that can be read, got EISDIR");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(openModel(join(root, "none"), { signal })).rejects.toThrow("enough");
  });

  it("that is no model is refused by name", async () => {
    const path = join(root, "page.html");
    writeFileSync(path, "<!doctype html><title>Not found</title>");
    const refused = openModel(path);
    await expect(refused).rejects.toThrow(FormatError);
    await expect(refused).rejects.toThrow(`openModel: ${path}: header length: expected at most`);
  });

  it("tells how far it is", async () => {
    const path = join(root, "progress");
    writeFileSync(path, new Uint8Array(300_000));
    const told: unknown[] = [];
    await openBytes(path, { onProgress: (progress) => told.push(progress) });
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toEqual({ loaded: 300_000, total: 300_000 });
    const failing = openBytes(path, {
      onProgress() {
        throw new Error("of the caller");
      },
    });
    await expect(failing).rejects.toThrow("of the caller");
  });

  it("of more bytes than allowed is refused, also one without an end", async () => {
    const path = join(root, "large");
    writeFileSync(path, new Uint8Array(1001));
    const refused = openBytes(path, { maximumBytes: 1000 });
    await expect(refused).rejects.toThrow(MemoryError);
    await expect(refused).rejects.toThrow("expected at most 1000 bytes, got 1001 (the option maximumBytes");
    expect(await openBytes(path, { maximumBytes: 1001 })).toHaveLength(1001);
    if (process.platform !== "linux") return;
    const endless = openBytes("/dev/zero", { maximumBytes: 1_000_000 });
    await expect(endless).rejects.toThrow("/dev/zero: expected at most 1000000 bytes, got more");
  });
});

describe("an integrity", () => {
  let path: string;
  beforeAll(() => {
    path = join(root, "hashed");
    writeFileSync(path, FILE);
  });

  it.each(["sha256", "sha384", "sha512"])("by %s is what Subresource Integrity says", async (algorithm) => {
    const integrity = sri(algorithm, FILE);
    expect(await openBytes(path, { integrity })).toHaveLength(FILE.length);
    const other = sri(algorithm, new Uint8Array(1));
    const refused = openBytes(path, { integrity: other });
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toThrow(
      `openBytes: ${path}: expected bytes with the integrity ${other}, got ${integrity}`,
    );
  });

  it("of several hashes goes by the strongest, of which one has to fit", async () => {
    const [weak, strong] = [sri("sha256", FILE), sri("sha512", FILE)];
    const [otherWeak, otherStrong] = [sri("sha256", new Uint8Array(1)), sri("sha512", new Uint8Array(1))];
    await openBytes(path, { integrity: `${otherWeak}\n ${strong} ${otherStrong} ` });
    await expect(openBytes(path, { integrity: `${weak} ${otherStrong}` })).rejects.toThrow(StorageError);
  });

  it.each([
    ["", 'a hash as "sha256-…", got ""'],
    ["sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "a digest in base64, got"],
    ["sha256-abc", "a digest in base64, got"],
    [`${"sha256-"}${"A".repeat(64)}`, "a digest in base64, got"],
    [7 as unknown as string, "a text as"],
  ])("of %j is refused", async (integrity, message) => {
    const refused = openBytes(path, { integrity });
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe("options", () => {
  it.each([
    [{ integrety: "" }, "openModel: expected the options integrity, cache,"],
    [{ cache: true }, "openModel: cache: expected an integrity"],
    [{ cache: "yes" }, "openModel: cache: expected true or false"],
    [{ maximumBytes: 0 }, "openModel: maximumBytes: expected a positive integer"],
    [{ onProgress: 1 }, "openModel: onProgress: expected a function"],
    [{ signal: {} }, "openModel: signal: expected an AbortSignal"],
  ])("%j are refused", async (options, message) => {
    const refused = openModel("model", options as object);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(message);
  });

  it("of undefined are none", async () => {
    const path = join(root, "undefined");
    await saveModel(model, path, { signal: undefined });
    const none = { integrity: undefined, cache: undefined, maximumBytes: undefined, onProgress: undefined };
    expect((await openModel(path, { ...none, signal: undefined })).seed).toBe(5);
  });

  it("and models are checked before anything is written", async () => {
    const path = join(root, "unwritten");
    await expect(saveModel({} as never, path)).rejects.toThrow(
      "saveModel: expected a model with toSafetensors()",
    );
    await expect(saveModel(undefined as never, path)).rejects.toThrow(OptionError);
    await expect(saveBytes([1, 2] as never, path)).rejects.toThrow("saveBytes: expected the bytes of a file");
    await expect(saveModel(model, path, { progress: 1 } as never)).rejects.toThrow("the options signal");
    expect(readdirSync(root)).not.toContain("unwritten");
  });
});
