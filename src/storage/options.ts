/** The options of saving and opening. */
import { OptionError } from "../errors.ts";
import { checkOptions, flag, positiveInteger, show } from "../options.ts";
import { abortSignal, type AbortSignalLike } from "../runtime/platform.ts";

/** How far an opening is. */
export interface StorageProgress {
  /** Bytes that have come, decompressed. */
  readonly loaded: number;
  /** Bytes in all, where the place says so. */
  readonly total: number | undefined;
}

export interface SaveOptions {
  /** An `AbortSignal`. The save then rejects with its reason, and the place is as it was. */
  signal?: AbortSignalLike | undefined;
}

export interface OpenOptions {
  /**
   * What the bytes must be, in the words of Subresource Integrity: `"sha256-…"` in base64, or sha384 or sha512. Other bytes
   * are refused.
   */
  integrity?: string | undefined;
  /**
   * Whether what comes over the network is kept by the Cache API, where there is one, and taken from there the next time. Only
   * files with an `integrity` are kept. Default: true for those.
   */
  cache?: boolean | undefined;
  /** The most bytes that are taken; a place with more is refused. Default: 2³⁰. */
  maximumBytes?: number | undefined;
  /** Called as bytes come. */
  onProgress?: ((progress: StorageProgress) => void) | undefined;
  /** An `AbortSignal`. Opening then rejects with its reason. */
  signal?: AbortSignalLike | undefined;
}

/** The options of opening, checked. */
export interface OpenSettings {
  readonly where: string;
  readonly integrity: string | undefined;
  readonly cache: boolean;
  readonly maximumBytes: number;
  readonly onProgress: ((progress: StorageProgress) => void) | undefined;
  readonly signal: AbortSignalLike | undefined;
}

const checkSignal = (where: string, signal: AbortSignalLike | undefined): AbortSignalLike | undefined =>
  signal && abortSignal(`${where}: signal`, signal);

/** @throws OptionError; the reason of a signal that is aborted already */
export function checkSaveOptions(where: string, options: SaveOptions): AbortSignalLike | undefined {
  checkOptions(where, options, ["signal"]);
  const signal = checkSignal(where, options.signal);
  signal?.throwIfAborted();
  return signal;
}

/** @throws OptionError; the reason of a signal that is aborted already */
export function checkOpenOptions(where: string, options: OpenOptions): OpenSettings {
  checkOptions(where, options, ["integrity", "cache", "maximumBytes", "onProgress", "signal"]);
  const { integrity, cache, maximumBytes = 2 ** 30, onProgress } = options;
  if (integrity !== undefined && typeof integrity !== "string") {
    throw new OptionError(`${where}: integrity: expected a text as "sha256-…", got ${show(integrity)}`);
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new OptionError(`${where}: onProgress: expected a function, got ${show(onProgress)}`);
  }
  if (cache !== undefined && flag(`${where}: cache`, cache) && integrity === undefined) {
    throw new OptionError(
      `${where}: cache: expected an integrity, by which it is known that a copy is still the file, got none`,
    );
  }
  const signal = checkSignal(where, options.signal);
  signal?.throwIfAborted();
  return {
    where,
    integrity,
    cache: cache ?? integrity !== undefined,
    maximumBytes: positiveInteger(`${where}: maximumBytes`, maximumBytes),
    onProgress,
    signal,
  };
}
