/** Files that appear whole or not at all. */
import { randomBytes } from "node:crypto";
import * as nodeFs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { endingSignals } from "./signals.ts";
import { causeOf, systemError } from "./usage.ts";

/** The calls that a save makes, so that tests can let each of them fail. */
export type FileCalls = Pick<
  typeof nodeFs,
  | "accessSync"
  | "closeSync"
  | "fchmodSync"
  | "fchownSync"
  | "fsyncSync"
  | "lstatSync"
  | "openSync"
  | "readdirSync"
  | "readlinkSync"
  | "realpathSync"
  | "renameSync"
  | "unlinkSync"
  | "writeSync"
>;

/** A destination of bytes: a file with a name, or a device, pipe or open descriptor, which takes them as they come. */
type Place =
  | { readonly kind: "file"; readonly path: string; readonly old?: nodeFs.Stats }
  | { readonly kind: "stream"; readonly path: string }
  | { readonly kind: "descriptor"; readonly descriptor: number };

export interface SaveOptions {
  /** Ends the wait for the reader of a pipe. A file is written at once. */
  readonly signal?: AbortSignal;
  readonly files?: FileCalls;
}

/** The number of symbolic links that are followed, which is the one of Linux. */
const MOST_LINKS = 40;

/** Milliseconds until a pipe that is full or has no reader is tried again. */
const PAUSE = 5;

/** The temporary files that this process is writing. */
const inUse = new Set<string>();

/** The descriptor behind `/dev/stdout`, `/dev/fd/3` and the like, if it is one of this process. */
function descriptorOf(path: string): number | undefined {
  const [, owner, descriptor] = /^\/(?:proc\/(\d+)|dev)\/fd\/(\d+)$/.exec(path) ?? [];
  return descriptor !== undefined && (owner === undefined || Number(owner) === process.pid)
    ? Number(descriptor)
    : undefined;
}

/** Follows links to what a path stands for, which need not exist. @throws the errors of the system */
function placeOf(path: string, files: FileCalls): Place {
  if (path.endsWith("/")) throw systemError("EISDIR");
  let at = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    const folder = files.realpathSync(dirname(at));
    at = join(folder, basename(at));
    const descriptor = descriptorOf(at);
    if (descriptor !== undefined) return { kind: "descriptor", descriptor };
    const stats = files.lstatSync(at, { throwIfNoEntry: false });
    if (!stats) return { kind: "file", path: at };
    if (stats.isDirectory()) throw systemError("EISDIR");
    // The links of /proc name what another process has open; a file by that name may be another one.
    if (!stats.isSymbolicLink() || at.startsWith("/proc/")) {
      return stats.isFile() ? { kind: "file", path: at, old: stats } : { kind: "stream", path: at };
    }
    at = resolve(folder, files.readlinkSync(at));
  }
  throw systemError("ELOOP");
}

/** @throws an error if `save` could not write there, as far as can be found out beforehand */
export function checkPlace(path: string, files: FileCalls = nodeFs): void {
  const place = placeOf(path, files);
  const { W_OK, X_OK } = nodeFs.constants;
  if (place.kind === "stream" || (place.kind === "file" && place.old)) files.accessSync(place.path, W_OK);
  if (place.kind !== "file") return;
  const folder = dirname(place.path);
  try {
    files.accessSync(folder, W_OK | X_OK);
  } catch (error) {
    throw new Error(`${causeOf(error)} in the folder ${folder}`, { cause: error });
  }
}

/** The temporary files beside a file have names that begin so; a process and random digits follow. */
function temporaryPrefix(path: string): string {
  // Names have up to 255 bytes, and a character up to four.
  const start = Array.from(basename(path)).slice(0, 48).join("");
  return `.${start}.`;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Removes what processes that were killed in the middle of a save left beside the file. */
function removeLeftovers(path: string, files: FileCalls): void {
  const folder = dirname(path);
  const prefix = temporaryPrefix(path);
  for (const name of files.readdirSync(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [, pid] = /^(\d+)-[0-9a-f]{32}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    const leftover = join(folder, name);
    // In a container, where processes are few, the next one may have the number of the last.
    if (pid === undefined || inUse.has(leftover)) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid))) files.unlinkSync(leftover);
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
function writeAll(descriptor: number, bytes: Uint8Array, files: FileCalls): void {
  for (let at = 0; at < bytes.length;) {
    const count = files.writeSync(descriptor, bytes, at, bytes.length - at);
    if (count === 0) throw systemError("ENOSPC");
    at += count;
  }
}

/**
 * Repeats a call until it fails by none of `codes`, which ask to try again, and returns its result. Signals come
 * through meanwhile.
 */
async function patiently<T>(call: () => T, codes: readonly string[], signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!codes.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
    await new Promise((turn) => setTimeout(turn, PAUSE));
    signal?.throwIfAborted();
  }
}

/** Writes to what takes bytes as they come. */
async function pour(descriptor: number, bytes: Uint8Array, options: SaveOptions): Promise<void> {
  const { files = nodeFs, signal } = options;
  for (let at = 0; at < bytes.length;) {
    const write = (): number => files.writeSync(descriptor, bytes, at, bytes.length - at);
    at += await patiently(write, ["EAGAIN"], signal);
  }
}

/** A pipe opens when its reader does; nothing waits in the system for that, so that signals can end it. */
async function pourInto(path: string, bytes: Uint8Array, options: SaveOptions): Promise<void> {
  const { files = nodeFs, signal } = options;
  const { O_WRONLY, O_NONBLOCK } = nodeFs.constants;
  const isPipe = files.lstatSync(path).isFIFO();
  const open = (): number => files.openSync(path, O_WRONLY | O_NONBLOCK);
  const descriptor = await patiently(open, isPipe ? ["ENXIO"] : [], signal);
  try {
    await pour(descriptor, bytes, options);
  } finally {
    files.closeSync(descriptor);
  }
}

/** Restores owner and permissions. Where the writer may not change the owner, the file stays the writer's. */
function keepOwner(descriptor: number, { mode, uid, gid }: nodeFs.Stats, files: FileCalls): void {
  attempt(() => files.fchownSync(descriptor, uid, gid));
  files.fchmodSync(descriptor, mode & 0o7777);
}

/** Writes a temporary file beside the file, down to the disk, and renames it to the file's name. */
function replace(path: string, old: nodeFs.Stats | undefined, bytes: Uint8Array, files: FileCalls): void {
  const folder = dirname(path);
  // Renaming would replace a file that its owner made read-only.
  if (old) files.accessSync(path, nodeFs.constants.W_OK);
  attempt(() => removeLeftovers(path, files));
  const random = randomBytes(16).toString("hex");
  const temporary = join(folder, `${temporaryPrefix(path)}${process.pid}-${random}.tmp`);
  inUse.add(temporary);
  let descriptor: number | undefined;
  try {
    // "x": nobody else's file or link is written through.
    descriptor = files.openSync(temporary, "wx", old ? 0o600 : 0o666);
    writeAll(descriptor, bytes, files);
    if (old) keepOwner(descriptor, old, files);
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
  syncFolder(folder, files);
}

/** Some systems and file systems have no such thing, and the file is there without it. */
function syncFolder(folder: string, files: FileCalls): void {
  attempt(() => {
    const descriptor = files.openSync(folder, "r");
    try {
      files.fsyncSync(descriptor);
    } finally {
      files.closeSync(descriptor);
    }
  });
}

/** Lets signals that would end the process wait until the work is done. */
async function withoutSignals(work: () => void): Promise<void> {
  let given: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals): void => {
    given ??= signal;
  };
  for (const signal of endingSignals) process.on(signal, note);
  try {
    work();
  } finally {
    // Node reports signals between turns of its loop.
    await new Promise((turn) => setTimeout(turn));
    for (const signal of endingSignals) process.off(signal, note);
    if (given !== undefined && process.listenerCount(given) === 0) process.kill(process.pid, given);
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
export async function save(path: string, bytes: Uint8Array, options: SaveOptions = {}): Promise<boolean> {
  const { files = nodeFs } = options;
  const place = placeOf(path, files);
  if (place.kind === "stream") await pourInto(place.path, bytes, options);
  else if (place.kind === "descriptor") await pour(place.descriptor, bytes, options);
  else await withoutSignals(() => replace(place.path, place.old, bytes, files));
  return place.kind === "file";
}
