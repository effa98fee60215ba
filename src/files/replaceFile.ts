/** Replaces a file by another one: a reader finds the one or the other, whole. */
import type { FileCalls, FileStats, NodeModules, SystemError } from "./node.ts";

/** Node's modules, and the calls to the file system, which tests replace. */
export interface SaveHost extends NodeModules {
  readonly files: FileCalls;
}

/** The temporary files that this process is writing. */
const inUse = new Set<string>();

/** The error of a system call that was not made, since it is known how it would end. */
export function systemError(code: "EISDIR" | "ELOOP" | "ENOSPC", { os }: SaveHost): SystemError {
  const errno = os.constants.errno as Readonly<Record<string, number>>;
  return Object.assign(new Error(code), { code, errno: -errno[code]! });
}

export const codeOf = (error: unknown): string => (error as SystemError).code ?? "";

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

/**
 * Removes what processes that were killed in the middle of a save left in a folder: the temporary files whose names begin so,
 * of one file or with `all` of those whose names do.
 */
export function removeLeftovers(folder: string, prefix: string, host: SaveHost, all = false): void {
  const { files, process } = host;
  for (const name of files.readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [, rest, pid] = /^(.*\.)?(\d+)-[0-9a-f]{32}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    const leftover = host.path.join(folder, name);
    // In a container, where processes are few, the next one may have the number of the last.
    if (pid === undefined || (rest !== undefined && !all) || inUse.has(leftover)) continue;
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

/** Restores owner and permissions. Where the writer may not change the owner, the file stays the writer's. */
function keepOwner(descriptor: number, { mode, uid, gid }: FileStats, { files }: SaveHost): void {
  attempt(() => files.fchownSync(descriptor, uid, gid));
  files.fchmodSync(descriptor, mode & 0o7777);
}

/** Writes a temporary file beside the file, down to the disk, and renames it to the file's name. */
export function replaceFile(
  path: string,
  old: FileStats | undefined,
  bytes: Uint8Array,
  host: SaveHost,
): void {
  const { files } = host;
  const folder = host.path.dirname(path);
  // Renaming would replace a file that its owner made read-only.
  if (old) files.accessSync(path, host.fs.constants.W_OK);
  attempt(() => removeLeftovers(folder, temporaryPrefix(path, host), host));
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
