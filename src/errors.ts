/** A message has fewer characters than this, whatever a file or a caller put into it. */
const MOST = 1000;

/**
 * Text of which every character is seen: those that steer a terminal or the direction of writing, that end a line or have
 * no width, and halves of surrogate pairs are spelled out, as `\u001b`.
 */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}

/** A message as one legible line: escaped, and without its middle when it is long. */
export function legible(message: string): string {
  const whole = message.length < MOST ? escaped(message) : message;
  if (whole.length < MOST) return whole;
  const [start, end] = [escaped(message.slice(0, 600)), escaped(message.slice(-300))];
  const kept = [
    start.slice(0, 600).replace(/[\ud800-\udbff]$/, ""),
    end.slice(-300).replace(/^[\udc00-\udfff]/, ""),
  ];
  return kept.join(` … (cut from ${message.length} characters) … `);
}

/**
 * The base of the errors that the package throws for what it was passed. The message is legible whatever that contains.
 */
export class OwnError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(legible(message), options);
  }
}

/** A file or byte string that is not what its format says; names the place, the expected and the given. */
export class FormatError extends OwnError {
  override name = "FormatError";
}

/** Shapes, sizes or options that do not fit together; names the place, the expected and the given. */
export class ShapeError extends OwnError {
  override name = "ShapeError";
}

/** An option with a value outside of what it may be; names the option, the expected and the given. */
export class OptionError extends OwnError {
  override name = "OptionError";
}

/**
 * Memory that cannot grow any more, or a file that would take more than `load({ limits })` or `maximumBytes` allows; names
 * what it is for, the amount needed and the amount allowed.
 */
export class MemoryError extends OwnError {
  override name = "MemoryError";
}

/** A training step whose loss or update is not finite. The weights are those after the last good step. */
export class TrainingError extends OwnError {
  override name = "TrainingError";
  /** The step that failed, counted from 1. */
  readonly step: number;

  constructor(message: string, step: number) {
    super(message);
    this.step = step;
  }
}
