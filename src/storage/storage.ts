/** Models and other files at places: `im2row/storage`. */
import { FormatError, OptionError } from "../errors.ts";
import { loadModel, type Model } from "../model/model.ts";
import { isTyped, plainView, show } from "../options.ts";
import { offerDownload } from "./download.ts";
import { readFromFile, writeToFile } from "./file.ts";
import {
  listDatabase,
  readFromDatabase,
  removeFromDatabase,
  saveToDatabase,
  type StoredModel,
} from "./indexedDb.ts";
import { checkIntegrity, readIntegrity } from "./integrity.ts";
import { checkOpenOptions, checkSaveOptions, type OpenOptions, type SaveOptions } from "./options.ts";
import { nameOf, readPlace, type Place, type Target } from "./place.ts";
import { openAddress, removeCopy } from "./web.ts";

/** A model that can be saved: one of `im2row`, or anything else that writes a safetensors file. */
export interface Savable {
  toSafetensors(): Uint8Array;
}

/**
 * Saves a model, architecture and weights, at a place: a file path or `file:` address, `indexeddb://name`, or
 * `download://name` for a download of the browser. A save that fails or is interrupted leaves the model that was there before,
 * whole.
 * @throws OptionError for a place that this host does not have, before anything is done, and as `toSafetensors`; StorageError
 * when the place refuses; the signal's reason
 */
export async function saveModel(model: Savable, place: Place, options: SaveOptions = {}): Promise<void> {
  const where = "saveModel";
  const target = readPlace(where, place, "save");
  if (typeof (model as Partial<Savable> | undefined)?.toSafetensors !== "function") {
    throw new OptionError(
      `${where}: expected a model with toSafetensors(), got ${show(model)}; saveBytes saves any file, as toOnnx() of a net ` +
        "from ONNX",
    );
  }
  await save(where, () => model.toSafetensors(), target, options);
}

/**
 * Saves the bytes of a file of any kind at a place, as `saveModel` does a model.
 * @throws OptionError; StorageError; the signal's reason
 */
export async function saveBytes(bytes: Uint8Array, place: Place, options: SaveOptions = {}): Promise<void> {
  const where = "saveBytes";
  await save(where, () => bytes, readPlace(where, place, "save"), options);
}

/**
 * Opens a model that was saved: at a file path or `file:` address, `indexeddb://name`, or `https://…`, where it may be kept by
 * the Cache API. It needs to be compiled before use.
 * @throws OptionError for a place that this host does not have, before anything is done; StorageError when the place has no
 * model, refuses, or has bytes that are not those of the integrity; MemoryError when there are more than `maximumBytes`;
 * FormatError when they are no model; the signal's reason
 */
export async function openModel(place: Place, options: OpenOptions = {}): Promise<Model> {
  const bytes = await open("openModel", place, options);
  try {
    return loadModel(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`openModel: ${nameOf(place)}: ${error.message}`, { cause: error });
  }
}

/**
 * Opens the bytes of a file of any kind, as `openModel` does a model: for `loadModel` of `im2row/inference`, `loadOnnx` and
 * others.
 * @throws OptionError; StorageError; MemoryError; the signal's reason
 */
export async function openBytes(place: Place, options: OpenOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  return open("openBytes", place, options);
}

/** What is saved in IndexedDB, in the order of the names. @throws OptionError where there is none; StorageError */
export async function listModels(): Promise<StoredModel[]> {
  readPlace("listModels", "indexeddb://*", "list");
  return listDatabase("listModels");
}

/**
 * Removes what is saved at `indexeddb://name`, or the copy that the Cache API keeps of an address. Returns whether there was
 * something. @throws OptionError for other places; StorageError
 */
export async function removeModel(place: Place): Promise<boolean> {
  const where = "removeModel";
  const target = readPlace(where, place, "remove");
  if (target.kind === "indexeddb") return removeFromDatabase(where, target.name);
  return target.kind === "web" && removeCopy(target.address);
}

/** Saves what `write` returns. */
async function save(
  where: string,
  write: () => Uint8Array,
  target: Target,
  options: SaveOptions,
): Promise<void> {
  const signal = checkSaveOptions(where, options);
  const given = write();
  if (!isTyped(given, Uint8Array)) {
    throw new OptionError(`${where}: expected the bytes of a file as a Uint8Array, got ${show(given)}`);
  }
  const bytes = plainView(given, Uint8Array);
  if (target.kind === "file") await writeToFile(where, target.path, target.node, bytes, signal);
  else if (target.kind === "indexeddb") await saveToDatabase(where, target.name, bytes, signal);
  else if (target.kind === "download") offerDownload(target.name, bytes);
}

async function open(where: string, place: Place, options: OpenOptions): Promise<Uint8Array<ArrayBuffer>> {
  const target = readPlace(where, place, "open");
  const settings = checkOpenOptions(where, options);
  const integrity = settings.integrity === undefined ? undefined : readIntegrity(where, settings.integrity);
  if (target.kind === "web") return openAddress(target.address, integrity, settings);
  const bytes =
    target.kind === "file"
      ? await readFromFile(target.path, target.node, settings)
      : await readFromDatabase(target.name, settings);
  if (integrity) await checkIntegrity(`${where}: ${nameOf(place)}`, integrity, bytes);
  return bytes;
}
