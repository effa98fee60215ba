/** Whether a series of samples grows. */

/** A slope with the interval that holds it with 99 % of confidence. */
export interface Slope {
  readonly slope: number;
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution for 99 %, both sides. */
const Z = 2.5758;

/**
 * The median of the slopes between all pairs of samples (Theil), which outliers do not move, and the interval that Sen
 * (1968, "Estimates of the regression coefficient based on Kendall's tau") gives: of N sorted slopes of n samples, those at
 * the ranks (N ∓ z·√(n(n − 1)(2n + 5)/18)) / 2.
 */
export function theilSen(times: readonly number[], values: readonly number[]): Slope {
  const slopes: number[] = [];
  for (let i = 0; i < times.length; i++) {
    for (let j = i + 1; j < times.length; j++) {
      slopes.push((values[j]! - values[i]!) / (times[j]! - times[i]!));
    }
  }
  slopes.sort((a, b) => a - b);
  const n = times.length;
  const half = (Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / 2;
  const middle = (slopes.length - 1) / 2;
  const at = (rank: number): number => slopes[Math.min(Math.max(Math.round(rank), 0), slopes.length - 1)]!;
  return {
    slope: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(middle - half),
    high: at(middle + half),
  };
}

/** A measured quantity, and the growth of it that is no leak: bytes in a run, and in a cycle or batch. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** What is counted as time: `"cycle"` or `"batch"`. */
  readonly per: string;
  /** Noise that is no chance from sample to sample: pages that the allocator keeps, code that is compiled late. */
  readonly tolerance: number;
  /** Bytes a cycle or batch that the host keeps for itself. */
  readonly drift: number;
}

export interface Verdict {
  readonly measure: Measure;
  readonly grows: boolean;
  readonly text: string;
}

/** The part of the samples, from the first on, in which caches fill and code is compiled. */
export const WARM_UP = 1 / 3;

/**
 * A measure grows when its drift is below the interval of its slope, warm-up left out, and the least growth beyond it that
 * the interval allows is more than the tolerance over the time that was sampled.
 */
export function judge(measure: Measure, times: readonly number[], values: readonly number[]): Verdict {
  const first = Math.ceil(times.length * WARM_UP);
  const [x, y] = [times.slice(first), values.slice(first)];
  const { slope, low, high } = theilSen(x, y);
  const span = x.at(-1)! - x[0]!;
  const grows = low > measure.drift && (low - measure.drift) * span > measure.tolerance;
  const numbers = [slope, low, high].map((value) => value.toPrecision(3));
  const ends = [y[0]!, y.at(-1)!].map((value) => Math.round(value).toLocaleString("en"));
  const text =
    `${measure.name.padEnd(14)} ${numbers[0]} ${measure.unit} a ${measure.per}, 99 %: ${numbers[1]} to ${numbers[2]}; ` +
    `${ends.join(" to ")}, tolerance ${measure.tolerance.toLocaleString("en")} and ${measure.drift} a ${measure.per}${grows ? "  GROWS" : ""}`;
  return { measure, grows, text };
}
