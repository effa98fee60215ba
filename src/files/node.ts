/**
 * The modules of Node that files need, which Deno and Bun have too. Types by structure, so that the published ones ask for no
 * types of Node; looked up when they are needed, so that a bundle for browsers imports nothing that is not there.
 */

export interface FileStats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
}

/** The calls that a save makes, so that tests can let each of them fail. */
export interface FileCalls {
  accessSync(path: string, mode: number): void;
  closeSync(descriptor: number): void;
  fchmodSync(descriptor: number, mode: number): void;
  fchownSync(descriptor: number, uid: number, gid: number): void;
  fsyncSync(descriptor: number): void;
  mkdirSync(path: string, options: { recursive: true }): unknown;
  lstatSync(path: string, options?: { throwIfNoEntry: false }): FileStats | undefined;
  openSync(path: string, flags: string | number, mode?: number): number;
  readdirSync(path: string): string[];
  readlinkSync(path: string): string;
  realpathSync(path: string): string;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
  writeSync(descriptor: number, bytes: Uint8Array, offset: number, length: number): number;
}

interface FileSystem extends FileCalls {
  readonly constants: Readonly<Record<"W_OK" | "X_OK" | "O_WRONLY" | "O_NONBLOCK", number>>;
  createReadStream(path: string): AsyncIterable<unknown>;
  readonly promises: { stat(path: string): Promise<FileStats> };
}

interface Paths {
  basename(path: string): string;
  dirname(path: string): string;
  join(...parts: string[]): string;
  resolve(...parts: string[]): string;
}

/** The part of `node:os` that is used: the numbers of the system's errors. */
interface System {
  readonly constants: { readonly errno: object };
}

interface Process {
  readonly pid: number;
  /** With the signal 0, asks whether a process is alive. */
  kill(pid: number, signal: 0): boolean;
}

/** What the functions for files use of Node. */
export interface NodeModules {
  readonly fs: FileSystem;
  readonly path: Paths;
  readonly os: System;
  readonly process: Process;
}

/** An error of the system. */
export interface SystemError extends Error {
  readonly code?: string;
}

interface HostProcess extends Process {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: "node:fs"): FileSystem | undefined;
  getBuiltinModule?(name: "node:path"): Paths | undefined;
  getBuiltinModule?(name: "node:os"): System | undefined;
  getBuiltinModule?(name: "node:url"): { fileURLToPath(address: string): string };
}

const { process } = globalThis as { process?: HostProcess };

/** The modules of this host, or why it has none. */
export function findNodeModules(): NodeModules | string {
  const fs = process?.getBuiltinModule?.("node:fs");
  const path = process?.getBuiltinModule?.("node:path");
  const os = process?.getBuiltinModule?.("node:os");
  if (process && fs && path && os) return { fs, path, os, process };
  const node = process?.versions?.node;
  if (node === undefined || process?.getBuiltinModule) return "this host has no file system";
  return `Node ${node} has no process.getBuiltinModule: Node 20.16 and 22.3 have it`;
}

/** The path of a `file:` address, on a host that has the modules. @throws the error of Node for one that is no path */
export function pathOfAddress(address: string): string {
  return process!.getBuiltinModule!("node:url").fileURLToPath(address);
}
