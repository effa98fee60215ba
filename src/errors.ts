/** A file or byte string that is not what its format says; names the place, the expected and the given. */
export class FormatError extends Error {
  override name = "FormatError";
}

/** Shapes, sizes or options that do not fit together; names the place, the expected and the given. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** An option with a value outside of what it may be; names the option, the expected and the given. */
export class OptionError extends Error {
  override name = "OptionError";
}

/** Memory that cannot grow any more; names what it was for, the bytes needed and the bytes allowed. */
export class MemoryError extends Error {
  override name = "MemoryError";
}

/** A training step whose loss or update is not finite. The weights are those after the last good step. */
export class TrainingError extends Error {
  override name = "TrainingError";
  /** The step that failed, counted from 1. */
  readonly step: number;

  constructor(message: string, step: number) {
    super(message);
    this.step = step;
  }
}
