/** Bytes that come in chunks, from anywhere. */
import { MemoryError } from "../errors.ts";
import type { OpenSettings } from "./options.ts";

/** The size of the first buffer. */
const FIRST = 65536;

/** A larger buffer with the same beginning: twice as large, or of just the size that was announced when that is less. */
function grown(
  buffer: Uint8Array,
  loaded: number,
  needed: number,
  announced = Infinity,
): Uint8Array<ArrayBuffer> {
  const doubled = Math.max(FIRST, 2 * buffer.length, needed);
  const larger = new Uint8Array(needed <= announced ? Math.min(doubled, announced) : doubled);
  larger.set(buffer.subarray(0, loaded));
  return larger;
}

export function refuseBytes(where: string, place: string, most: number, got: number | string): never {
  throw new MemoryError(
    `${where}: ${place}: expected at most ${most} bytes, got ${got} (the option maximumBytes sets the limit)`,
  );
}

/**
 * Puts chunks together, in memory of at most three times `maximumBytes`. The buffer grows with what comes, not with what
 * is announced. `announced` is the number of bytes that the place speaks of, if it does.
 * @throws MemoryError when they are too many; the signal's reason
 */
export async function receive(
  place: string,
  chunks: AsyncIterable<Uint8Array>,
  announced: number | undefined,
  { where, maximumBytes, onProgress, signal }: OpenSettings,
): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (got: number | string): never => refuseBytes(where, place, maximumBytes, got);
  if (announced !== undefined && announced > maximumBytes) refuse(announced);
  let buffer = new Uint8Array(0);
  let loaded = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const end = loaded + chunk.length;
    if (end > maximumBytes) refuse("more");
    if (end > buffer.length) buffer = grown(buffer, loaded, end, announced);
    buffer.set(chunk, loaded);
    loaded = end;
    // Of compressed bytes a server may tell the compressed number.
    const total = announced !== undefined && loaded <= announced ? announced : undefined;
    onProgress?.({ loaded, total });
  }
  signal?.throwIfAborted();
  return loaded === buffer.length ? buffer : buffer.slice(0, loaded);
}
