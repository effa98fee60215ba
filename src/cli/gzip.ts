/** Gzip files, of which no more is unpacked than is asked for. */
import { constants, gunzipSync } from "node:zlib";
import { FormatError } from "../errors.ts";
import { messageOf } from "./usage.ts";

/** Compressed bytes that hold the start of any file: the names in a gzip header are shorter. */
const START = 16384;

/** Whether bytes begin as gzip files do: its two magic bytes and the only method, deflate. Source: RFC 1952. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && (bytes[2] ?? 8) === 8;
}

/** Unpacks the first 16 KiB of a file, to 17 MB at most. @throws FormatError naming `where` */
export function gunzipStart(bytes: Uint8Array, where: string): Uint8Array {
  return gunzip(bytes.subarray(0, START), Infinity, where, bytes.length > START);
}

/**
 * Unpacks a gzip file of one or more members, or refuses it as soon as there are more than `most` bytes.
 * @throws FormatError naming `where`
 */
export function gunzipBounded(bytes: Uint8Array, most: number, where: string): Uint8Array {
  return gunzip(bytes, most, where, false);
}

function gunzip(bytes: Uint8Array, most: number, where: string, partly: boolean): Uint8Array {
  try {
    return gunzipSync(bytes, {
      ...(Number.isFinite(most) && { maxOutputLength: most }),
      ...(partly && { finishFlush: constants.Z_SYNC_FLUSH }),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new FormatError(`${where}: expected ${most} unpacked bytes, got more`, { cause: error });
    }
    throw new FormatError(`${where}: expected a whole gzip file, got a broken one (${messageOf(error)})`, {
      cause: error,
    });
  }
}
