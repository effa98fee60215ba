/** Slopes of a loss that is computed in float32, by differences, with bounds on their errors. */

/** The steps are the size of the number times 2^-2 to 2^-12. */
const WIDEST = 2;
const NARROWEST = 12;

/** The steps whose slopes say how far the narrowest of them may err. */
const WINDOW = 3;

/** A slope between two neighbours of a number, and how far it may lie from the derivative. */
export interface Slope {
  readonly slope: number;
  readonly uncertainty: number;
}

/** The slopes to both sides at one step. */
interface Step {
  readonly h: number;
  /** To the left, to the right, and between the two neighbours. */
  readonly left: number;
  readonly right: number;
  readonly slope: number;
}

/**
 * The slope of `loss` at `value`, where it is `here`.
 *
 * Each step h, half of the one before, gives a slope to the left and one to the right. The uncertainty of their mean is
 * twice the distance between the largest and the smallest of these and of those at the two steps before, and the rounding of
 * the loss, `rounding` / h; and at least its distance from the slope at each narrower step, less the rounding of that. The errors of
 * differences are in it: where the loss is smooth, the slopes lie on either side of the derivative, at distances of about
 * h·loss″/2; behind a kink within reach the slopes of the two sides part; and a step that leaps over a pole finds no support
 * from narrower ones. The step with the least uncertainty is taken: narrower ones drown in rounding. Steps at which the loss
 * is not finite are left out.
 */
export function slopeAt(
  loss: (value: number) => number,
  value: number,
  here: number,
  size: number,
  rounding: number,
): Slope {
  const steps: Step[] = [];
  for (let k = WIDEST; k <= NARROWEST; k++) {
    const h = size / (1 << k);
    const [low, high] = [Math.fround(value - h), Math.fround(value + h)];
    if (low === value || high === value) break;
    const [below, above] = [loss(low), loss(high)];
    if (!Number.isFinite(below + above)) continue;
    const [left, right] = [(here - below) / (value - low), (above - here) / (high - value)];
    steps.push({ h, left, right, slope: (above - below) / (high - low) });
  }
  let best: Slope = { slope: NaN, uncertainty: Infinity };
  for (let k = WINDOW - 1; k < steps.length; k++) {
    const { h, slope } = steps[k]!;
    const all = steps.slice(k - WINDOW + 1, k + 1).flatMap(({ left, right }) => [left, right]);
    const narrower = steps.slice(k + 1).map((step) => Math.abs(step.slope - slope) - rounding / step.h);
    const spread = Math.max(...all) - Math.min(...all);
    const uncertainty = Math.max(2 * spread + rounding / h, ...narrower);
    if (uncertainty < best.uncertainty) best = { slope, uncertainty };
  }
  return best;
}
