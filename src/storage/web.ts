/** Files from the network, with the copies that the Cache API keeps. */
import { StorageError } from "../files/error.ts";
import { checkIntegrity, type Integrity } from "./integrity.ts";
import type { OpenSettings } from "./options.ts";
import { receive } from "./receive.ts";

/** The name of the package's cache. */
const CACHE = "im2row";

/** The cause of an error, in words: of a failed `fetch`, Node tells it in the cause alone. */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { message?: string } } | undefined)?.cause?.message;
  return cause || (error instanceof Error ? error.message : String(error));
}

/** The chunks of a response. What ends the loop over them ends the transfer. @throws StorageError; the signal's reason */
async function* chunksOf(
  address: string,
  { body }: Response,
  { where, signal }: OpenSettings,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  try {
    for (;;) {
      const chunk = await reader?.read().catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new StorageError(`${where}: ${address}: expected the file to its end, got ${reasonOf(error)}`, {
          cause: error,
        });
      });
      if (!chunk || chunk.done) return;
      yield chunk.value;
    }
  } finally {
    reader?.cancel().catch(() => {});
  }
}

/** The number of bytes that a response tells; unknown for a compressed one, whose header counts others. */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  return length !== null && !headers.has("content-encoding") && /^\d+$/.test(length)
    ? Number(length)
    : undefined;
}

async function request(address: string, settings: OpenSettings, signal: AbortSignal): Promise<Response> {
  const { where, integrity } = settings;
  // Browsers, which IndexedDB gives away, have an HTTP cache, where the bytes of an earlier integrity may be.
  const revalidate = integrity !== undefined && typeof indexedDB === "object";
  const response = await fetch(address, { signal, ...(revalidate && { cache: "no-cache" }) }).catch(
    (error: unknown) => {
      settings.signal?.throwIfAborted();
      throw new StorageError(`${where}: ${address}: expected an answer, got ${reasonOf(error)}`, {
        cause: error,
      });
    },
  );
  if (!response.ok) {
    const { status, statusText } = response;
    throw new StorageError(`${where}: ${address}: expected a file, got HTTP ${status} ${statusText}`.trim());
  }
  if (/^https:/i.test(address) && response.url.startsWith("http:")) {
    throw new StorageError(
      `${where}: ${address}: expected redirects within https:, got one to ${response.url}`,
    );
  }
  return response;
}

async function download(address: string, settings: OpenSettings): Promise<Uint8Array<ArrayBuffer>> {
  const { signal } = settings;
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  signal?.addEventListener?.("abort", abort);
  try {
    const response = await request(address, settings, controller.signal);
    return await receive(address, chunksOf(address, response, settings), lengthOf(response), settings);
  } finally {
    signal?.removeEventListener?.("abort", abort);
    abort();
  }
}

/** The package's cache; undefined where the host has none, or lets this program have none. */
async function openCache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches?.open(CACHE);
  } catch {
    return undefined;
  }
}

/** The kept copy of a file, unless it is of another integrity: of what the address had before. */
async function readCopy(
  cache: Cache | undefined,
  address: string,
  integrity: Integrity,
  settings: OpenSettings,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const copy = await cache?.match(address).catch(() => undefined);
  if (!copy) return undefined;
  const quiet = { ...settings, onProgress: undefined };
  const bytes = await receive(address, chunksOf(address, copy, quiet), lengthOf(copy), quiet);
  if (!integrity.hashes.includes(await integrity.hashOf(bytes))) return undefined;
  settings.onProgress?.({ loaded: bytes.length, total: bytes.length });
  return bytes;
}

/** Keeps a copy, in the place of an earlier one. */
async function keepCopy(cache: Cache | undefined, address: string, bytes: Uint8Array): Promise<void> {
  const headers = { "content-length": String(bytes.length), "content-type": "application/octet-stream" };
  // A cache that is full or refuses costs a download the next time, and nothing now.
  await cache?.put(address, new Response(bytes as BufferSource, { headers })).catch(() => {});
}

/**
 * The bytes at an address, checked. @throws StorageError for what the server or the network do, and for bytes that are not
 * those of the integrity, which are not kept; MemoryError when they are too many; the signal's reason
 */
export async function openAddress(
  address: string,
  integrity: Integrity | undefined,
  settings: OpenSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!integrity) return download(address, settings);
  const cache = settings.cache ? await openCache() : undefined;
  const copy = await readCopy(cache, address, integrity, settings);
  if (copy) return copy;
  const bytes = await download(address, settings);
  await checkIntegrity(`${settings.where}: ${address}`, integrity, bytes);
  await keepCopy(cache, address, bytes);
  return bytes;
}

/** Removes the copy of a file, if there is one; returns whether there was. */
export async function removeCopy(address: string): Promise<boolean> {
  return (await (await openCache())?.delete(address)) ?? false;
}
