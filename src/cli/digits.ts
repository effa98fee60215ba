import { OptionError } from "../errors.ts";
import { Random } from "../random.ts";
import { FIGURES, type Stroke } from "./figures.ts";

/** Height and width of a drawn image in pixels. */
export const DIGIT_SIZE = 28;

/** Pixels to one unit of the sheet the figures are designed on (10 × 14), before random scaling. */
const PIXELS_PER_UNIT = 1.35;

/** Straight pieces to one span of a spline. */
const PIECES = 4;

/** One hand: how a figure's points on the sheet become pixels, and how thick the pen is. */
interface Hand {
  /** Rotation, slant and scale: `[a, b, c, d]` in `x' = a·x + b·y`, `y' = c·x + d·y`. */
  readonly linear: readonly [number, number, number, number];
  /** The point, in pixels, at which the middle of the sheet lands. */
  readonly centre: readonly [number, number];
  /** Six coefficients of the quadratic warp that bends the whole figure. */
  readonly bend: readonly number[];
  /** Half the stroke's width in pixels. */
  readonly radius: number;
}

/** Uniform in `[low, high)`. */
function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/** Draws a hand. The rotation comes from `t = tan(θ/2)`: `cos = (1−t²)/(1+t²)`, `sin = 2t/(1+t²)`. */
function drawHand(random: Random): Hand {
  const t = between(random, -0.16, 0.16);
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const slant = between(random, -0.3, 0.45);
  const scale = PIXELS_PER_UNIT * between(random, 0.72, 1.08);
  const scaleX = scale * between(random, 0.75, 1.2);
  return {
    // rotation · shear (x leans right as y goes up) · scale
    linear: [scaleX * cos, scale * (-slant * cos - sin), scaleX * sin, scale * (cos - slant * sin)],
    centre: [DIGIT_SIZE / 2 + between(random, -3, 3), DIGIT_SIZE / 2 + between(random, -3, 3)],
    bend: Array.from({ length: 6 }, () => between(random, -0.035, 0.035)),
    radius: between(random, 0.6, 1.5),
  };
}

/** Maps a stroke's points through a hand, with a tremble of each point of a smooth stroke; pixels come out. */
function place(stroke: Stroke, hand: Hand, random: Random): Float64Array {
  const [a, b, c, d] = hand.linear;
  const bend = hand.bend;
  const pixels = new Float64Array(stroke.points.length);
  for (let i = 0; i < pixels.length; i += 2) {
    const x = stroke.points[i]! - 5;
    const y = stroke.points[i + 1]! - 7;
    // End points stay where they are, so that strokes which touch still do.
    const inner = stroke.smooth && (stroke.closed || (i > 0 && i < pixels.length - 2));
    const tremble = inner ? 0.35 : 0;
    const bentX =
      x + bend[0]! * x * y + bend[1]! * y * y + bend[2]! * x * x + between(random, -tremble, tremble);
    const bentY =
      y + bend[3]! * x * y + bend[4]! * y * y + bend[5]! * x * x + between(random, -tremble, tremble);
    pixels[i] = hand.centre[0] + a * bentX + b * bentY;
    pixels[i + 1] = hand.centre[1] + c * bentX + d * bentY;
  }
  return pixels;
}

/** One coordinate of the uniform Catmull–Rom spline between `p1` and `p2` at `t` in 0…1. */
function catmullRom(p0: number, p1: number, p2: number, p3: number, t: number): number {
  return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}

/** The points `[x0, y0, x1, y1, …]` of a polyline along the spline through `points`. */
function trace(points: Float64Array, closed: boolean): Float64Array {
  const count = points.length / 2;
  const spans = closed ? count : count - 1;
  const at = (index: number): number =>
    2 * (closed ? (index + count) % count : Math.min(Math.max(index, 0), count - 1));
  const path = new Float64Array(2 * (spans * PIECES + 1));
  for (let step = 0; step <= spans * PIECES; step++) {
    const span = Math.min(Math.floor(step / PIECES), spans - 1);
    const t = (step - span * PIECES) / PIECES;
    const [p0, p1, p2, p3] = [at(span - 1), at(span), at(span + 1), at(span + 2)];
    path[2 * step] = catmullRom(points[p0]!, points[p1]!, points[p2]!, points[p3]!, t);
    path[2 * step + 1] = catmullRom(points[p0 + 1]!, points[p1 + 1]!, points[p2 + 1]!, points[p3 + 1]!, t);
  }
  return path;
}

/**
 * Inks the segment from (x0, y0) to (x1, y1): a pixel whose centre lies at distance `d` from it gets
 * `radius + ½ − d`, held to 0…1, unless it is darker already. That is the pen's coverage of the pixel, exact
 * for a straight edge along the grid.
 */
function ink(image: Float32Array, x0: number, y0: number, x1: number, y1: number, radius: number): void {
  const reach = radius + 0.5;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(DIGIT_SIZE - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(DIGIT_SIZE - 1, Math.floor(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length = dx * dx + dy * dy;
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const py = row + 0.5 - y0;
      const along = length > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      const ex = px - along * dx;
      const ey = py - along * dy;
      const coverage = Math.min(1, reach - Math.sqrt(ex * ex + ey * ey));
      const index = row * DIGIT_SIZE + column;
      if (coverage > image[index]!) image[index] = coverage;
    }
  }
}

/** Draws one figure into `image` (28 × 28, zero before): a random variant by a random hand, then noise. */
function drawFigure(image: Float32Array, digit: number, random: Random): void {
  const variants = FIGURES[digit]!;
  const figure = variants[random.integer(variants.length)]!;
  const hand = drawHand(random);
  for (const stroke of figure) {
    const points = place(stroke, hand, random);
    const path = stroke.smooth ? trace(points, stroke.closed) : points;
    for (let i = 0; i + 3 < path.length; i += 2) {
      ink(image, path[i]!, path[i + 1]!, path[i + 2]!, path[i + 3]!, hand.radius);
    }
  }
  const noise = between(random, 0, 0.3);
  for (let i = 0; i < image.length; i++) {
    // Grey scatter on the paper and on the ink: the sum of two uniforms, cut to 0…1.
    const value = image[i]! + noise * (random.uniform() + random.uniform() - 1);
    image[i] = Math.min(1, Math.max(0, value));
  }
}

/**
 * Draws handwritten-looking figures: strokes under random slant (x leans by −0.3 … 0.45 of y), rotation
 * (±18°), scale, shift (±3 pixels), bending, tremble, stroke width (1.2 to 3 pixels) and noise. White on black,
 * as in MNIST. A seed gives the same bits on every host.
 *
 * @param count how many; each class appears `count / 10` times, rounded up or down, in shuffled order
 * @param seed any non-negative integer below 2^53
 * @returns `images` `[count, 28, 28, 1]` in 0…1 and `labels` `[count]` in 0…9
 * @throws OptionError if the count is not a non-negative integer or the seed is out of range
 */
export function drawDigits(count: number, seed: number): { images: Float32Array; labels: Int32Array } {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new OptionError(`count: expected a non-negative integer, got ${String(count)}`);
  }
  const random = new Random(seed);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 10);
  random.shuffle(labels);
  const pixels = DIGIT_SIZE * DIGIT_SIZE;
  const images = new Float32Array(count * pixels);
  labels.forEach((label, i) => drawFigure(images.subarray(i * pixels, (i + 1) * pixels), label, random));
  return { images, labels };
}
