/** The result of `checkGradients`, and its table. */

/** The gradient of one weight or input, against differences of the loss. */
export interface GradientRow {
  /** The layer, or the input. */
  readonly layer: string;
  /** The name of the weight; empty for an input. */
  readonly weight: string;
  /** How many of its numbers were compared, and for how many of these the differences decide nothing: ±10 % or more. */
  readonly compared: number;
  readonly undecided: number;
  /** The gradient of the number that differs most, beyond what the differences may err. */
  readonly analytic: number;
  /** The same by differences. */
  readonly numeric: number;
  /**
   * The distance between the two, and how far the differences may err: parts of the larger of the two, or of the root mean
   * square of the weight's whole gradient where that is larger still.
   */
  readonly error: number;
  readonly uncertainty: number;
  readonly ok: boolean;
}

/** What `checkGradients` found. */
export interface GradientCheck {
  /** True when no gradient is wrong. */
  readonly ok: boolean;
  readonly rows: readonly GradientRow[];
  /** The rows as a table. */
  toString(): string;
}

const HEADER = [
  "layer",
  "weight",
  "compared",
  "analytic",
  "by differences",
  "error",
  "uncertainty",
  "",
] as const;

const number = (value: number): string => value.toPrecision(4);

function cellsOf(row: GradientRow): string[] {
  const { layer, weight, compared, undecided, analytic, numeric, error, uncertainty, ok } = row;
  const verdict = ok ? "ok" : "WRONG";
  return [
    layer,
    weight,
    String(compared),
    number(analytic),
    number(numeric),
    error.toExponential(1),
    uncertainty.toExponential(1),
    undecided > 0 ? `${verdict}, ${undecided} undecided` : verdict,
  ];
}

/** The result of these rows. */
export function gradientCheck(rows: readonly GradientRow[]): GradientCheck {
  return {
    ok: rows.every(({ ok }) => ok),
    rows,
    toString() {
      const table = [[...HEADER], ...rows.map(cellsOf)];
      const widths = HEADER.map((_, i) => Math.max(...table.map((cells) => cells[i]!.length)));
      const isText = (i: number): boolean => i < 2 || i === HEADER.length - 1;
      const lines = table.map((cells) =>
        cells
          .map((cell, i) => (isText(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
          .join("  ")
          .trimEnd(),
      );
      return lines.join("\n");
    },
  };
}
