/**
 * The number of images as a size, of a graph that is lowered before the number is known.
 *
 * Shapes and lists of sizes hold IMAGES in its place. It is negative, so that nothing that is made of it by products and
 * quotients with sizes is a size, and a power of two, so that n·k / k is n again in float64. It is the first axis in memory
 * of every value that is computed. Elsewhere it stands in constants that follow from a shape alone: there a number that is
 * a·n + b counts as such as long as it is exact; where it would not be, the operator is `batchDependent`.
 */
export const IMAGES = -(2 ** 40);

/** Numbers nearer to 0 follow from no number of images: b of a·n + b is a size. */
const LEAST = 2 ** 38;
const MOST_ADDED = 2 ** 31;

/** Whether a number of a list that follows from a shape follows from the number of images. */
export function followsImages(value: number): boolean {
  return !(Math.abs(value) < LEAST);
}

/** Whether a number is a·n + b exactly, with an integer a. */
export function isExact(value: number): boolean {
  const added = value - Math.round(value / IMAGES) * IMAGES;
  return Math.abs(added) < MOST_ADDED && (added === 0 || Number.isSafeInteger(value));
}

/** A message in which the number of images is called n. */
export function inWords(message: string): string {
  return message.replace(/-?\d{12,}/g, (digits) => {
    const times = Number(digits) / IMAGES;
    if (!Number.isInteger(times)) return digits;
    return times === 1 ? "n" : `${times}·n`;
  });
}
