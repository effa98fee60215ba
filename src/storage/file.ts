/** Files of the file system. */
import type { AbortSignalLike } from "../runtime/platform.ts";
import { StorageError } from "../files/error.ts";
import type { NodeModules } from "../files/node.ts";
import type { OpenSettings } from "./options.ts";
import { receive } from "./receive.ts";
import { saveFile } from "./saveFile.ts";

function failure(place: string, expected: string, error: unknown): StorageError {
  return new StorageError(`${place}: expected ${expected}, got ${(error as Error).message}`, {
    cause: error,
  });
}

/** Writes a file, whole or not at all. @throws StorageError; the signal's reason */
export async function writeToFile(
  where: string,
  path: string,
  node: NodeModules,
  bytes: Uint8Array,
  signal: AbortSignalLike | undefined,
): Promise<void> {
  try {
    await saveFile(path, bytes, { ...node, files: node.fs }, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw failure(`${where}: ${path}`, "a file that can be written", error);
  }
}

/** The chunks of a file. @throws StorageError */
async function* chunksOf(where: string, path: string, { fs }: NodeModules): AsyncGenerator<Uint8Array> {
  const chunks = fs.createReadStream(path)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw failure(`${where}: ${path}`, "a file that can be read", error);
      });
      if (done) return;
      yield value as Uint8Array;
    }
  } finally {
    await chunks.return?.();
  }
}

/** The bytes of a file. @throws StorageError; MemoryError when they are too many; the signal's reason */
export async function readFromFile(
  path: string,
  node: NodeModules,
  settings: OpenSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  // What is no file, as a pipe, or changes meanwhile has as many bytes as come.
  const stats = await node.fs.promises.stat(path).catch(() => undefined);
  const size = stats?.isFile() ? stats.size : undefined;
  return receive(path, chunksOf(settings.where, path, node), size, settings);
}
