/**
 * Types of the host, by structure or looked up among its globals, so that the published types ask neither for the DOM
 * library nor for Node's types.
 */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";

/**
 * A compiled module. An opaque object where the program's types know no WebAssembly; where they do, it is an interface
 * without members, which would take a string.
 */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } }
  ? Module & object
  : object;

/** The part of a `Response` that is read. */
export interface WasmResponse {
  readonly ok: boolean;
  readonly status: number;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A WebAssembly binary in any of the forms that hosts hand out. A `WasmResponse` is a `Response`. */
export type WasmSource = WasmModule | ArrayBuffer | ArrayBufferView | WasmResponse;

/** A `WebAssembly.Memory`. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of an `AbortSignal` that is used. */
export interface AbortSignalLike {
  throwIfAborted(): void;
  /** A signal without these is asked between two steps alone. */
  addEventListener?(type: "abort", listener: () => void): void;
  removeEventListener?(type: "abort", listener: () => void): void;
}

/** @throws OptionError unless `value` is an `AbortSignal`, or has what is needed of one */
export function abortSignal(where: string, value: AbortSignalLike): AbortSignalLike {
  if (typeof value?.throwIfAborted === "function") return value;
  throw new OptionError(`${where}: expected an AbortSignal, got ${show(value)}`);
}
