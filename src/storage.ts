/** `im2row/storage`: saves models at places, and opens them: files, IndexedDB, downloads, the web. */
export { listModels, openBytes, openModel, removeModel, saveBytes, saveModel } from "./storage/storage.ts";
export type { Savable } from "./storage/storage.ts";
export { StorageError } from "./files/error.ts";
export type { StoredModel } from "./storage/indexedDb.ts";
export type { OpenOptions, SaveOptions, StorageProgress } from "./storage/options.ts";
export type { Place } from "./storage/place.ts";
