/** Files that appear whole or not at all. */
import type { AbortSignalLike } from "../runtime/platform.ts";
import type { FileStats } from "../files/node.ts";
import { codeOf, replaceFile, systemError, type SaveHost } from "../files/replaceFile.ts";

/** A destination of bytes: a file with a name, or a device, pipe or open descriptor, which takes them as they come. */
type Destination =
  | { readonly kind: "file"; readonly path: string; readonly old?: FileStats }
  | { readonly kind: "stream"; readonly path: string }
  | { readonly kind: "descriptor"; readonly descriptor: number };

export interface SaveFileOptions {
  /** Ends the wait for the reader of a pipe. A file is written at once. */
  readonly signal?: AbortSignalLike | undefined;
  /** Does the work on a file, in one turn of the event loop. Default: as it is. */
  readonly guard?: (work: () => void) => Promise<void>;
}

/** The number of symbolic links that are followed, which is the one of Linux. */
const MOST_LINKS = 40;

/** Milliseconds until a pipe that is full or has no reader is tried again. */
const PAUSE = 5;

/** The descriptor behind `/dev/stdout`, `/dev/fd/3` and the like, if it is one of this process. */
function descriptorOf(path: string, { process }: SaveHost): number | undefined {
  const [, owner, descriptor] = /^\/(?:proc\/(\d+)|dev)\/fd\/(\d+)$/.exec(path) ?? [];
  return descriptor !== undefined && (owner === undefined || Number(owner) === process.pid)
    ? Number(descriptor)
    : undefined;
}

/** Follows links to what a path stands for, which need not exist. @throws the errors of the system */
export function destinationOf(path: string, host: SaveHost): Destination {
  const { files } = host;
  const { basename, dirname, join, resolve } = host.path;
  if (path.endsWith("/")) throw systemError("EISDIR", host);
  let at = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    const folder = files.realpathSync(dirname(at));
    at = join(folder, basename(at));
    const descriptor = descriptorOf(at, host);
    if (descriptor !== undefined) return { kind: "descriptor", descriptor };
    const stats = files.lstatSync(at, { throwIfNoEntry: false });
    if (!stats) return { kind: "file", path: at };
    if (stats.isDirectory()) throw systemError("EISDIR", host);
    // The links of /proc name what another process has open; a file by that name may be another one.
    if (!stats.isSymbolicLink() || at.startsWith("/proc/")) {
      return stats.isFile() ? { kind: "file", path: at, old: stats } : { kind: "stream", path: at };
    }
    at = resolve(folder, files.readlinkSync(at));
  }
  throw systemError("ELOOP", host);
}

/**
 * Repeats a call until it fails by none of `codes`, which ask to try again, and returns its result. Signals come
 * through meanwhile.
 */
async function patiently<T>(call: () => T, codes: readonly string[], signal?: AbortSignalLike): Promise<T> {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!codes.includes(codeOf(error))) throw error;
    }
    await new Promise((turn) => setTimeout(turn, PAUSE));
    signal?.throwIfAborted();
  }
}

/** Writes to what takes bytes as they come. */
async function pour(
  descriptor: number,
  bytes: Uint8Array,
  host: SaveHost,
  signal?: AbortSignalLike,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const write = (): number => host.files.writeSync(descriptor, bytes, at, bytes.length - at);
    at += await patiently(write, ["EAGAIN"], signal);
  }
}

/** A pipe opens when its reader does; nothing waits in the system for that, so that signals can end it. */
async function pourInto(
  path: string,
  bytes: Uint8Array,
  host: SaveHost,
  signal?: AbortSignalLike,
): Promise<void> {
  const { files } = host;
  const { O_WRONLY, O_NONBLOCK } = host.fs.constants;
  const isPipe = files.lstatSync(path)!.isFIFO();
  const open = (): number => files.openSync(path, O_WRONLY | O_NONBLOCK);
  const descriptor = await patiently(open, isPipe ? ["ENXIO"] : [], signal);
  try {
    await pour(descriptor, bytes, host, signal);
  } finally {
    files.closeSync(descriptor);
  }
}

/**
 * Writes a file so that a reader finds the old one or the new one, whole, whatever fails and whenever: a full disk, a
 * folder that cannot be written to, the end of the process or the machine. The bytes go to a temporary file in the same
 * folder, `.<name>.<process>-<random>.tmp`, and from there to the disk, before it takes the file's name; when anything
 * fails, it is removed. Only a process that was killed leaves one, which the next save to that file removes. Links are
 * followed; owner and permissions stay. Devices, pipes and descriptors as `/dev/stdout` take the bytes as they are.
 *
 * @returns whether there is a file now that can be read again
 * @throws the errors of the system, or the reason of the signal
 */
export async function saveFile(
  path: string,
  bytes: Uint8Array,
  host: SaveHost,
  { signal, guard }: SaveFileOptions = {},
): Promise<boolean> {
  const destination = destinationOf(path, host);
  if (destination.kind === "stream") await pourInto(destination.path, bytes, host, signal);
  else if (destination.kind === "descriptor") await pour(destination.descriptor, bytes, host, signal);
  else {
    const work = (): void => replaceFile(destination.path, destination.old, bytes, host);
    if (guard) await guard(work);
    else work();
  }
  return destination.kind === "file";
}
