/** The links of a receipt: the digests of the state after every so many steps. */

/** A receipt holds at most so many links; then every second one is dropped, and there are half as many from there on. */
export const MOST_LINKS = 256;

/**
 * Bytes of state that are hashed for each byte of weights and each image that is trained on. Per weight and image a step computes for
 * about a nanosecond, in which a thousandth of this is hashed: links take about a hundredth of the time, less in convolutional nets,
 * whose weights are used many times an image.
 */
const IMAGES_A_COPY = 2000;

/**
 * The steps from one link to the next, by sizes alone: a state of `copies` copies of the weights (they themselves, the slots of the
 * optimizer, averages) takes as many images as `2000·copies`.
 */
export function defaultEvery(copies: number, batchSize: number): number {
  return Math.max(1, Math.ceil((IMAGES_A_COPY * copies) / batchSize));
}

export class Links {
  every: number;
  digests: string[];

  constructor(every: number, digests: readonly string[] = []) {
    this.every = every;
    this.digests = [...digests];
  }

  /** Whether the state after so many steps of the run is a link. */
  has(steps: number): boolean {
    return steps > 0 && steps % this.every === 0;
  }

  add(digest: string): void {
    this.digests.push(digest);
    if (this.digests.length <= MOST_LINKS) return;
    this.every *= 2;
    this.digests = this.digests.filter((_, i) => i % 2 === 1);
  }
}
