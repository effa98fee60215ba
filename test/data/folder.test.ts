/** A folder of pictures as a data set. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OptionError } from "im2row";
import { fromFolder, type FolderSystem } from "im2row/data";
import jpegs from "../images/jpegs/images.json" with { type: "json" };
import { bytesOf } from "../images/support.ts";
import { encodePng } from "../support/png.ts";

const grey = (value: number): Uint8Array =>
  encodePng({ width: 2, height: 1, depth: 8, colourType: 0, samples: [value, value] });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "im2row-folder-"));
  for (const name of ["dog", "cat/deep", ".hidden"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "dog/2.PNG"), grey(2));
  writeFileSync(join(folder, "dog/10.png"), grey(10));
  writeFileSync(join(folder, "cat/deep/a.png"), grey(7));
  writeFileSync(join(folder, "cat/b.jpg"), bytesOf(jpegs.read[0]!.file));
  writeFileSync(join(folder, "cat/notes.txt"), "no picture");
  writeFileSync(join(folder, ".hidden/x.png"), grey(1));
  writeFileSync(join(folder, "readme.png"), grey(1));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("has a class for each folder and decodes a picture when it is read", async () => {
  const samples = await fromFolder(folder, { channels: 1 });
  expect(samples.classes).toEqual(["cat", "dog"]);
  expect(samples.files).toEqual(
    ["cat/b.jpg", "cat/deep/a.png", "dog/10.png", "dog/2.PNG"].map((name) => `${folder}/${name}`),
  );
  const read = [];
  for await (const sample of samples()) read.push(sample);
  expect(read.map(({ label }) => label)).toEqual([0, 0, 1, 1]);
  const { width, height } = jpegs.read[0]!;
  expect(read[0]!.image).toMatchObject({ shape: [height, width, 1] });
  expect(read.slice(1).map(({ image }) => image)).toEqual(
    [7, 10, 2].map((value) => ({ shape: [1, 2, 1], data: Uint8Array.of(value, value) })),
  );
  const colours = await fromFolder(`${folder}/`);
  expect(colours.files).toEqual(samples.files);
  expect((await colours().next()).value).toMatchObject({ image: { shape: [height, width, 3] } });
});

it("names the file that cannot be decoded, or does not fit in a batch", async () => {
  writeFileSync(join(folder, "dog/0.png"), "broken");
  const samples = await fromFolder(folder);
  const broken = samples.batch(3)();
  await expect(broken.next()).rejects.toThrow(
    `${folder}/dog/0.png: decodeImage: expected a PNG or JPEG image, got text`,
  );
  rmSync(join(folder, "dog/0.png"));
  const mixed = (await fromFolder(folder)).batch(2)();
  await expect(mixed.next()).rejects.toThrow(`${folder}/cat/deep/a.png: image: expected shape`);
});

it("reads another file system that is passed, and nothing before a sample is asked for", async () => {
  const read: string[] = [];
  const fileSystem: FolderSystem = {
    readdir: (path) =>
      Promise.resolve(
        path === "memory"
          ? [{ name: "one", isDirectory: () => true }]
          : [{ name: "x.png", isDirectory: () => false }],
      ),
    readFile(path) {
      read.push(path);
      return Promise.resolve(path.endsWith("x.png") ? Uint8Array.of(1, 2) : grey(1));
    },
  };
  const samples = await fromFolder("memory", { fileSystem });
  expect([samples.size, read]).toEqual([1, []]);
  await expect(samples().next()).rejects.toThrow(/^memory\/one\/x\.png: decodeImage: /);
  expect(read).toEqual(["memory/one/x.png"]);
});

it("refuses folders without classes or pictures", async () => {
  const empty = fromFolder(join(folder, "dog"));
  await expect(empty).rejects.toThrow(OptionError);
  await expect(empty).rejects.toThrow("dog: expected a folder for each class, got none");
  mkdirSync(join(folder, "ant"));
  await expect(fromFolder(folder)).rejects.toThrow("ant: expected pictures (.png, .jpg, .jpeg), got none");
  rmSync(join(folder, "ant"), { recursive: true });
  await expect(fromFolder(join(folder, "none"))).rejects.toThrow("ENOENT");
  await expect(fromFolder(folder, { channels: 2 as never })).rejects.toThrow(
    "fromFolder: channels: expected 1, 3 or 4, got 2",
  );
  await expect(fromFolder(5 as never)).rejects.toThrow("fromFolder: expected a path, got 5");
});
