/** The SHA-256 tree over the samples of a data set. */
import { isCount, pairOf } from "../../options.ts";
import { Pace } from "../../runtime/yield.ts";
import type { InputTensor } from "../../tensor.ts";
import type { Targets } from "../../training/targets.ts";
import { canonical } from "./canonical.ts";
import { bytesIn, bytesToHex, digestOf, hexToBytes, sha256 } from "./sha256.ts";

/** A leaf holds as many samples as fit into so many bytes, and at least one: a hash for each small image would cost more. */
const LEAF_BYTES = 65_536;

/** No sample has more bytes: that many numbers do not fit into a model. */
const MOST_SAMPLE_BYTES = 2 ** 32;

/** Leaves that are hashed at the same time, of which copies are held. */
const MOST_PENDING = 16;

/** The first byte of what is hashed: a leaf cannot be taken for a node (RFC 6962). */
const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];

/** Samples as `fit` reads them. */
export interface Samples {
  /** The images of each input, as the caller holds them. */
  readonly images: readonly InputTensor[];
  /** The labels of each output with a loss: int32 class numbers, or float32 rows. */
  readonly targets: readonly Targets[];
  /** The weight of each image in the loss, unless none has one. */
  readonly weights?: Float32Array | undefined;
  readonly count: number;
}

/** A part of a sample: where the numbers of all samples lie, and the bytes of one. */
interface Part {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/** The state of a tree between two samples, as JSON. */
export interface TreeState {
  readonly samples: number;
  /** The digests of the perfect subtrees so far, with their heights. */
  readonly subtrees: readonly (readonly [height: number, digest: string])[];
  /** The layout, the bytes of a sample, and those of the leaf that is not full yet, in hexadecimal digits. */
  readonly layout: string;
  readonly sampleBytes: number;
  readonly open: string;
}

/** The types and shapes of a sample's parts, in canonical JSON. */
function layoutOf({ images, targets, weights }: Samples): string {
  return canonical({
    images: images.map(({ shape, data }) => [typeOf(data), shape.slice(1)]),
    labels: targets.map(({ data, size }) => [typeOf(data), size]),
    weights: weights !== undefined,
  });
}

const typeOf = (data: ArrayBufferView): string =>
  data instanceof Uint8Array ? "uint8" : data instanceof Int32Array ? "int32" : "float32";

/**
 * The tree of RFC 6962 over leaves of samples in their order. A leaf is the byte 0, the length of its layout in four bytes, little
 * endian, the layout, and the samples: the bytes of each image of one, its labels, and its weight if it has one; a node is the byte 1
 * and the digests of its two children. Samples of another layout begin a leaf of their own.
 */
export class SampleTree {
  samples = 0;
  /** The milliseconds for which it kept the thread. */
  busy = 0;
  /** Perfect subtrees from left to right, each higher than the next. */
  readonly #subtrees: [height: number, digest: Uint8Array][] = [];
  readonly #pending: (Uint8Array | Promise<Uint8Array>)[] = [];
  #layout = "";
  #sampleBytes = 0;
  #open = new Uint8Array(0);
  #used = 0;

  /** Takes samples in; resolves when their bytes have been copied, and all but a few leaves are hashed. */
  async add(samples: Samples): Promise<void> {
    const { images, targets, weights, count } = samples;
    const parts = [...images.map(({ data }) => data), ...targets.map(({ data }) => data)].map(
      (data, i): Part => {
        const size = i < images.length ? data.length / count : targets[i - images.length]!.size;
        return { bytes: bytesIn(data), size: size * data.BYTES_PER_ELEMENT };
      },
    );
    if (weights) parts.push({ bytes: bytesIn(weights), size: 4 });
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    this.#begin(layoutOf(samples), size);
    const pace = new Pace();
    let began = performance.now();
    const away = async (wait: Promise<void>): Promise<void> => {
      this.busy += performance.now() - began;
      await wait;
      began = performance.now();
    };
    for (let i = 0; i < count; i++) {
      for (const part of parts) {
        this.#open.set(part.bytes.subarray(i * part.size, (i + 1) * part.size), this.#used);
        this.#used += part.size;
      }
      this.samples++;
      if (this.#used + size <= this.#open.length) continue;
      this.#close();
      if (this.#pending.length > MOST_PENDING) await away(this.#settle(MOST_PENDING));
      if (pace.due) await away(pace.rest());
    }
    this.busy += performance.now() - began;
  }

  #begin(layout: string, size: number): void {
    if (layout === this.#layout) return;
    this.#close();
    this.#layout = layout;
    this.#sampleBytes = size;
    this.#open = new Uint8Array(leafBytes(size));
  }

  /** Hashes the open leaf. */
  #close(): void {
    if (this.#used === 0) return;
    const layout = new TextEncoder().encode(this.#layout);
    const leaf = new Uint8Array(5 + layout.length + this.#used);
    new DataView(leaf.buffer).setUint32(1, layout.length, true);
    leaf.set(LEAF);
    leaf.set(layout, 5);
    leaf.set(this.#open.subarray(0, this.#used), 5 + layout.length);
    this.#used = 0;
    this.#pending.push(digestOf(leaf));
  }

  /** Waits until at most so many leaves are pending, and adds those before them to the tree. */
  async #settle(most: number): Promise<void> {
    while (this.#pending.length > most) {
      let node = await this.#pending[0]!;
      this.#pending.shift();
      let height = 0;
      for (; this.#subtrees.at(-1)?.[0] === height; height++) {
        node = sha256(NODE, this.#subtrees.pop()![1], node);
      }
      this.#subtrees.push([height, node]);
    }
  }

  /** Waits for all leaves that are full. */
  settled(): Promise<void> {
    return this.#settle(0);
  }

  /** The root over all samples. */
  async root(): Promise<string> {
    this.#close();
    await this.#settle(0);
    const digests = this.#subtrees.map(([, digest]) => digest);
    if (digests.length === 0) return bytesToHex(sha256());
    return bytesToHex(digests.reduceRight((right, left) => sha256(NODE, left, right)));
  }

  /** The state, when `settled`. */
  state(): TreeState {
    return {
      samples: this.samples,
      subtrees: this.#subtrees.map(([height, digest]) => [height, bytesToHex(digest)]),
      layout: this.#layout,
      sampleBytes: this.#sampleBytes,
      open: bytesToHex(this.#open.subarray(0, this.#used)),
    };
  }

  /** Goes on from a state that another tree returned. */
  restore({ samples, subtrees, layout, sampleBytes, open }: TreeState): void {
    this.samples = samples;
    for (const [height, digest] of subtrees) this.#subtrees.push([height, hexToBytes(digest)]);
    this.#begin(layout, sampleBytes);
    this.#open.set(hexToBytes(open));
    this.#used = open.length / 2;
  }
}

const isHex = (value: unknown): boolean => typeof value === "string" && /^([0-9a-f]{2})*$/.test(value);

/** Whether a value, which may be of a file, can be the state of a tree. */
export function isTreeState(value: unknown): value is TreeState {
  const { samples, subtrees, layout, sampleBytes, open } = (value ?? {}) as Partial<TreeState>;
  return (
    isCount(samples) &&
    Array.isArray(subtrees) &&
    subtrees.every((each: unknown) => {
      const pair = pairOf(each);
      return isCount(pair?.[0]) && isHex(pair[1]) && (pair[1] as string).length === 64;
    }) &&
    typeof layout === "string" &&
    isCount(sampleBytes) &&
    sampleBytes <= MOST_SAMPLE_BYTES &&
    isHex(open) &&
    open!.length / 2 < leafBytes(sampleBytes)
  );
}

/** The bytes of the samples of a leaf that is full. */
const leafBytes = (sampleBytes: number): number =>
  Math.max(1, Math.floor(LEAF_BYTES / Math.max(1, sampleBytes))) * sampleBytes;
