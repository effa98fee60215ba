/** The interface between the matrix and a runtime. */

/** The programs, `programs/<name>.ts`. */
export const PROGRAMS = ["suite", "digests", "hello", "empty"] as const;
/** Besides them, `leg`, the part of a run that moves from host to host. */
export type Program = (typeof PROGRAMS)[number] | "leg";

export interface Run {
  readonly lines: string[];
  /** Wall time until the last line, in milliseconds. */
  readonly milliseconds: number;
}

/** A runtime that is ready to run programs, each with nothing left over from the one before. */
export interface Host {
  /** With the engine: `24.21.0 (V8 13.6)`. */
  readonly version: string;
  /** The output of the runtime besides the programs' lines. */
  log(): string;
  run(program: Program): Promise<Run>;
  /** Ends what `open` and `run` began, whatever state it is in. */
  close(): Promise<void>;
}

export interface Launcher {
  readonly name: string;
  /** `suite`: the conformance suite, the digests and the cold start. `digests`: the digests alone. `moved`: one of a run. */
  readonly kind: "suite" | "digests" | "moved";
  /** Longest time of one program, in seconds. Default: 120. */
  readonly limit?: number;
  /** Says how to install what is missing; undefined when nothing is. */
  absent(): string | undefined;
  open(): Promise<Host>;
}
