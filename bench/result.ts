/** The measurements of the suites. */

/** One case: times of this package and of its peers on the same work. */
export interface Result {
  readonly suite: string;
  /** The part of a network, or the sizes. */
  readonly name: string;
  /** The kind of work, by which goals pick: `conv3x3`, `conv`, `depthwise`, `filter`, `input`, `gemm` … */
  readonly kind: string;
  readonly networks: readonly string[];
  /** Multiplications and additions by the definition; 0 where that says nothing. */
  readonly flops: number;
  /** Median milliseconds, ours under `im2row`. */
  readonly ms: Readonly<Record<string, number>>;
  /** Largest difference of a peer's result from ours, relative to the largest value. */
  readonly errors: Readonly<Record<string, number>>;
  /** The multiply-add peak in GFLOP/s, measured at the start of the suite in this process. */
  readonly peak: number;
  /** Times to compare with that are not a peer's: our own forward pass of the shape, one thread. */
  readonly own?: Readonly<Record<string, number>>;
}

export const OURS = "im2row";

/** A contender's time divided by ours; above 1 we are ahead. */
export function ratioTo({ ms, own }: Result, contender: string): number | undefined {
  const theirs = ms[contender] ?? own?.[contender];
  return theirs === undefined ? undefined : theirs / ms[OURS]!;
}

/** Speed of a contender in GFLOP/s. */
export function speedOf({ flops, ms }: Result, contender = OURS): number {
  return flops / ms[contender]! / 1e6;
}

/** One line of the tables. */
export function lineOf(result: Result): string {
  const { name, flops, ms, own, errors, peak } = result;
  const figure = (time: number): string =>
    flops > 0 ? (flops / time / 1e6).toFixed(1) : `${(time * 1000).toFixed(1)} µs`;
  const ours = `${figure(ms[OURS]!).padStart(9)}${flops > 0 ? " GF/s" : ""}`;
  const peers = Object.entries({ ...ms, ...own })
    .filter(([contender]) => contender !== OURS)
    .map(([contender, time]) => `${contender} ${figure(time)} (${(time / ms[OURS]!).toFixed(2)}×)`);
  const share = flops > 0 ? [`${(speedOf(result) / peak).toFixed(2)} of peak`] : [];
  const worst = Object.values(errors);
  const error = worst.length > 0 ? [`${Math.max(...worst).toExponential(1)} ok`] : [];
  return [name.padEnd(38) + ours, ...peers, ...share, ...error].join("  ");
}
