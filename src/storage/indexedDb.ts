/**
 * Models in IndexedDB: the database `im2row` has two stores by name, `files` of bytes and `entries` of what a list shows, so
 * that a list reads no bytes. One transaction writes to both: it takes place whole, or not at all.
 */
import type { AbortSignalLike } from "../runtime/platform.ts";
import { StorageError } from "../files/error.ts";
import type { OpenSettings } from "./options.ts";
import { refuseBytes } from "./receive.ts";

const DATABASE = "im2row";
const VERSION = 1;
const FILES = "files";
const ENTRIES = "entries";

/** A model in IndexedDB. */
export interface StoredModel {
  /** `indexeddb://name`, for `openModel`. */
  readonly place: string;
  readonly bytes: number;
  readonly saved: Date;
}

interface Entry {
  readonly bytes: number;
  readonly saved: Date;
}

/** What the errors of IndexedDB mean. */
const MEANINGS: Readonly<Record<string, string>> = {
  QuotaExceededError: "no more room: the browser's quota for this site is used up",
  VersionError: "the database of a newer version of the package",
  SecurityError: "a page that may not have one",
};

function failure(place: string, error: unknown): StorageError {
  const { name, message } = (error ?? {}) as Partial<DOMException>;
  const got = MEANINGS[name ?? ""] ?? (message || name || "an abort");
  return new StorageError(`${place}: expected IndexedDB to do it, got ${got}`, { cause: error });
}

/**
 * Opens the database, or makes it. While another page deletes it, that waits, until the signal is aborted.
 */
function openDatabase(signal: AbortSignalLike | undefined): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    let wanted = true;
    const abort = (): void => {
      wanted = false;
      reject();
    };
    signal?.addEventListener?.("abort", abort);
    request.onupgradeneeded = () => {
      for (const store of [FILES, ENTRIES]) request.result.createObjectStore(store);
    };
    request.onerror = () => reject(request.error as Error);
    request.onsuccess = () => {
      signal?.removeEventListener?.("abort", abort);
      // One that opens after all is closed again, so that it is in nobody's way.
      if (wanted) resolve(request.result);
      else request.result.close();
    };
  });
}

type Store = (name: typeof FILES | typeof ENTRIES) => IDBObjectStore;

/**
 * Does some work in one transaction and returns its result when all of it is on the disk. When the signal is aborted before, it
 * undoes it. @throws StorageError; the signal's reason
 */
async function transact<T>(
  place: string,
  mode: IDBTransactionMode,
  work: (store: Store) => IDBRequest<T>,
  signal?: AbortSignalLike,
): Promise<T> {
  try {
    const database = await openDatabase(signal);
    try {
      signal?.throwIfAborted();
      return await complete(database, mode, work, signal);
    } finally {
      database.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error instanceof StorageError ? error : failure(place, error);
  }
}

/** Runs a transaction to its end. When any part of it fails, nothing of it is kept. */
async function complete<T>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  work: (store: Store) => IDBRequest<T>,
  signal: AbortSignalLike | undefined,
): Promise<T> {
  const transaction = database.transaction([FILES, ENTRIES], mode, { durability: "strict" });
  const abort = (): void => {
    try {
      transaction.abort();
    } catch {
      // It is being committed already, and goes on.
    }
  };
  signal?.addEventListener?.("abort", abort);
  try {
    return await new Promise<T>((resolve, reject) => {
      let request: IDBRequest<T>;
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error as Error);
      try {
        request = work((name) => transaction.objectStore(name));
      } catch (error) {
        abort();
        throw error;
      }
    });
  } finally {
    signal?.removeEventListener?.("abort", abort);
  }
}

/** Saves bytes by name, in the place of earlier ones. @throws StorageError; the signal's reason */
export async function saveToDatabase(
  where: string,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignalLike | undefined,
): Promise<void> {
  const entry: Entry = { bytes: bytes.length, saved: new Date() };
  await transact(
    `${where}: indexeddb://${name}`,
    "readwrite",
    (store) => {
      // Of a view of a part, the whole buffer would be stored.
      store(FILES).put(bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice(), name);
      return store(ENTRIES).put(entry, name);
    },
    signal,
  );
}

/**
 * The bytes of a name. @throws StorageError; MemoryError when they are too many, which are not read then; the signal's
 * reason
 */
export async function readFromDatabase(
  name: string,
  { where, maximumBytes, onProgress, signal }: OpenSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const place = `indexeddb://${name}`;
  const entry = await transact(
    `${where}: ${place}`,
    "readonly",
    (store) => store(ENTRIES).get(name) as IDBRequest<Entry | undefined>,
    signal,
  );
  if (entry && entry.bytes > maximumBytes) refuseBytes(where, place, maximumBytes, entry.bytes);
  const bytes = await transact(
    `${where}: ${place}`,
    "readonly",
    (store) => store(FILES).get(name) as IDBRequest<Uint8Array<ArrayBuffer> | undefined>,
    signal,
  );
  if (!bytes) throw new StorageError(`${where}: ${place}: expected a model that was saved there, got none`);
  onProgress?.({ loaded: bytes.length, total: bytes.length });
  return bytes;
}

/** Removes the bytes of a name; returns whether there were any. @throws StorageError */
export async function removeFromDatabase(where: string, name: string): Promise<boolean> {
  const count = await transact(`${where}: indexeddb://${name}`, "readwrite", (store) => {
    const before = store(ENTRIES).count(name);
    store(FILES).delete(name);
    store(ENTRIES).delete(name);
    return before;
  });
  return count > 0;
}

/** What is there, by name. @throws StorageError */
export async function listDatabase(where: string): Promise<StoredModel[]> {
  const found: StoredModel[] = [];
  await transact(`${where}: indexeddb`, "readonly", (store) => {
    const request = store(ENTRIES).openCursor();
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return;
      const { bytes, saved } = cursor.value as Entry;
      found.push({ place: `indexeddb://${String(cursor.key)}`, bytes, saved });
      cursor.continue();
    };
    return request;
  });
  return found;
}
