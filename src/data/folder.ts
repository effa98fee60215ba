import { OptionError } from "../errors.ts";
import type { Channels } from "../images/image.ts";
import { checkOptions, show } from "../options.ts";
import type { SampleImage } from "./origin.ts";
import { samplesAt, type Samples } from "./samples.ts";

/** What a folder holds. */
export interface FolderEntry {
  readonly name: string;
  isDirectory(): boolean;
}

/** The part of `node:fs/promises` that is used. */
export interface FolderSystem {
  readdir(path: string, options: { withFileTypes: true }): Promise<readonly FolderEntry[]>;
  readFile(path: string): Promise<Uint8Array>;
}

export interface FolderOptions {
  /** 1 for grey, 3 for RGB, 4 for RGB and opacity, whatever the files have. Default: 3. */
  channels?: Channels | undefined;
  /** Where the files are. Default: `node:fs/promises`, which Deno and Bun have too. */
  fileSystem?: FolderSystem | undefined;
}

interface Host {
  readonly process?: { getBuiltinModule?(name: "node:fs/promises"): FolderSystem | undefined };
}

/** @throws OptionError on hosts without */
function hostFiles(): FolderSystem {
  const files = (globalThis as Host).process?.getBuiltinModule?.("node:fs/promises");
  if (files) return files;
  throw new OptionError(
    "fromFolder: fileSystem: expected one on a host that has none (Node has process.getBuiltinModule from 20.16 and 22.3 on)",
  );
}

const PICTURE = /\.(png|jpe?g)$/i;

/** The pictures in a folder and all folders below it, by the order of their names' characters. */
async function picturesIn(files: FolderSystem, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const [name, entry] of await entriesOf(files, folder)) {
    if (entry.isDirectory()) found.push(...(await picturesIn(files, `${folder}/${name}`)));
    else if (PICTURE.test(name)) found.push(`${folder}/${name}`);
  }
  return found;
}

/** The entries of a folder in an order that all hosts agree on; without hidden ones. */
async function entriesOf(files: FolderSystem, folder: string): Promise<[string, FolderEntry][]> {
  const entries = await files.readdir(folder, { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith("."))
    .map((entry): [string, FolderEntry] => [entry.name, entry])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A data set of pictures, with the names of their classes and of the files. */
export type FolderSamples = Samples & {
  readonly classes: readonly string[];
  readonly files: readonly string[];
};

/** `fromFolder`, by a decoder of the bytes of a file. */
export async function readFolder(
  path: string,
  options: FolderOptions,
  decode: (bytes: Uint8Array, channels: Channels) => SampleImage,
): Promise<FolderSamples> {
  checkOptions("fromFolder", options, ["channels", "fileSystem"]);
  if (typeof path !== "string") throw new OptionError(`fromFolder: expected a path, got ${show(path)}`);
  const { channels = 3 } = options;
  if (![1, 3, 4].includes(channels)) {
    throw new OptionError(`fromFolder: channels: expected 1, 3 or 4, got ${show(channels)}`);
  }
  const files = options.fileSystem ?? hostFiles();
  const folder = path.replace(/(?<=.)[/\\]+$/, "");
  const folders = (await entriesOf(files, folder)).filter(([, entry]) => entry.isDirectory());
  const classes = folders.map(([name]) => name);
  if (classes.length === 0)
    throw new OptionError(`fromFolder: ${path}: expected a folder for each class, got none`);
  const pictures: (readonly [file: string, label: number])[] = [];
  for (const [label, name] of classes.entries()) {
    const own = await picturesIn(files, `${folder}/${name}`);
    if (own.length === 0) {
      throw new OptionError(`fromFolder: ${folder}/${name}: expected pictures (.png, .jpg, .jpeg), got none`);
    }
    pictures.push(...own.map((file) => [file, label] as const));
  }
  const samples = samplesAt(
    pictures.length,
    async (i) => {
      const [file, label] = pictures[i]!;
      const bytes = await files.readFile(file);
      const { buffer, byteOffset, byteLength } = bytes;
      return { image: decode(new Uint8Array(buffer, byteOffset, byteLength), channels), label };
    },
    (i) => pictures[i]![0],
  );
  return Object.assign(samples, { classes, files: pictures.map(([file]) => file) });
}
