/** Files that appear whole or not at all. */
import type { AbortSignalLike } from "../runtime/platform.ts";
import type { FileCalls, FileStats, NodeModules, SystemError } from "./node.ts";

/** A destination of bytes: a file with a name, or a device, pipe or open descriptor, which takes them as they come. */
type Destination =
  | { readonly kind: "file"; readonly path: string; readonly old?: FileStats }
  | { readonly kind: "stream"; readonly path: string }
  | { readonly kind: "descriptor"; readonly descriptor: number };

/** Node's modules, and the calls to the file system, which tests replace. */
export interface SaveHost extends NodeModules {
  readonly files: FileCalls;
}

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

/** The temporary files that this process is writing. */
const inUse = new Set<string>();

/** The error of a system call that was not made, since it is known how it would end. */
function systemError(code: "EISDIR" | "ELOOP" | "ENOSPC", { os }: SaveHost): SystemError {
  const errno = os.constants.errno as Readonly<Record<string, number>>;
  return Object.assign(new Error(code), { code, errno: -errno[code]! });
}

const codeOf = (error: unknown): string => (error as SystemError).code ?? "";

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

/** The temporary files beside a file have names that begin so; a process and random digits follow. */
function temporaryPrefix(path: string, host: SaveHost): string {
  // Names have up to 255 bytes, and a character up to four.
  const start = Array.from(host.path.basename(path)).slice(0, 48).join("");
  return `.${start}.`;
}

/** A name that nobody can guess. */
function temporaryName(path: string, host: SaveHost): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${temporaryPrefix(path, host)}${host.process.pid}-${random}.tmp`;
}

function isAlive(pid: number, { process }: SaveHost): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Removes what processes that were killed in the middle of a save left beside the file. */
function removeLeftovers(path: string, host: SaveHost): void {
  const { files, process } = host;
  const folder = host.path.dirname(path);
  const prefix = temporaryPrefix(path, host);
  for (const name of files.readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [, pid] = /^(\d+)-[0-9a-f]{32}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    const leftover = host.path.join(folder, name);
    // In a container, where processes are few, the next one may have the number of the last.
    if (pid === undefined || inUse.has(leftover)) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid), host)) files.unlinkSync(leftover);
  }
}

/** Does some work that may fail without harm. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The caller goes on without it.
  }
}

/** A write may take fewer bytes than it is passed. */
function writeAll(descriptor: number, bytes: Uint8Array, host: SaveHost): void {
  for (let at = 0; at < bytes.length;) {
    const count = host.files.writeSync(descriptor, bytes, at, bytes.length - at);
    if (count === 0) throw systemError("ENOSPC", host);
    at += count;
  }
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

/** Restores owner and permissions. Where the writer may not change the owner, the file stays the writer's. */
function keepOwner(descriptor: number, { mode, uid, gid }: FileStats, { files }: SaveHost): void {
  attempt(() => files.fchownSync(descriptor, uid, gid));
  files.fchmodSync(descriptor, mode & 0o7777);
}

/** Writes a temporary file beside the file, down to the disk, and renames it to the file's name. */
function replace(path: string, old: FileStats | undefined, bytes: Uint8Array, host: SaveHost): void {
  const { files } = host;
  const folder = host.path.dirname(path);
  // Renaming would replace a file that its owner made read-only.
  if (old) files.accessSync(path, host.fs.constants.W_OK);
  attempt(() => removeLeftovers(path, host));
  const temporary = host.path.join(folder, temporaryName(path, host));
  inUse.add(temporary);
  let descriptor: number | undefined;
  try {
    // "x": nobody else's file or link is written through.
    descriptor = files.openSync(temporary, "wx", old ? 0o600 : 0o666);
    writeAll(descriptor, bytes, host);
    if (old) keepOwner(descriptor, old, host);
    files.fsyncSync(descriptor);
    const closing = descriptor;
    descriptor = undefined;
    files.closeSync(closing);
    files.renameSync(temporary, path);
  } catch (error) {
    attempt(() => descriptor !== undefined && files.closeSync(descriptor));
    attempt(() => files.unlinkSync(temporary));
    throw error;
  } finally {
    inUse.delete(temporary);
  }
  syncFolder(folder, host);
}

/** Some systems and file systems have no such thing, and the file is there without it. */
function syncFolder(folder: string, { files }: SaveHost): void {
  attempt(() => {
    const descriptor = files.openSync(folder, "r");
    try {
      files.fsyncSync(descriptor);
    } finally {
      files.closeSync(descriptor);
    }
  });
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
    const work = (): void => replace(destination.path, destination.old, bytes, host);
    if (guard) await guard(work);
    else work();
  }
  return destination.kind === "file";
}
