/** The segments of a JPEG file are read and checked here before the file is decoded. Source: ITU-T T.81. */
import { PictureError } from "./picture.ts";

/** Frames that can be decoded: baseline, extended and progressive, with Huffman codes. */
const FRAMES = [0xc0, 0xc1, 0xc2];

/** The other frames are refused under these names. */
const OTHER_FRAMES = new Map([
  [0xc3, "a lossless JPEG image"],
  [0xc5, "a hierarchical JPEG image"],
  [0xc6, "a hierarchical JPEG image"],
  [0xc7, "a hierarchical JPEG image"],
  [0xc9, "a JPEG image of arithmetic codes"],
  [0xca, "a JPEG image of arithmetic codes"],
  [0xcb, "a JPEG image of arithmetic codes"],
  [0xcd, "a JPEG image of arithmetic codes"],
  [0xce, "a JPEG image of arithmetic codes"],
  [0xcf, "a JPEG image of arithmetic codes"],
]);

/** Each scan of a progressive image goes over all blocks, whether it has bytes for them or not. */
const MOST_SCANS = 100;

/**
 * Limit of 8×8 blocks: the decoder takes some 400 bytes for one. They do for 67 million greys, 44 million colours at
 * 4:2:0.
 */
const MOST_BLOCKS = 2 ** 20;

interface Component {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  readonly quantization: number;
  /** Whether a scan has held its mean values. */
  seen: boolean;
}

/** The parts of a file that decide whether and how it is decoded. */
export interface JpegParts {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  /** The colours' transform by Adobe's segment, if there is one. */
  readonly adobe: number | undefined;
  readonly jfif: boolean;
  /** The orientation in EXIF, from 1 to 8; 1 is upright. */
  readonly orientation: number;
}

function fail(fault: string): never {
  throw new PictureError(`a JPEG image ${fault}`);
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && (bytes.length < 3 || bytes[2] === 0xff);
}

const startsWith = (data: Uint8Array, text: string): boolean =>
  Array.from(text).every((character, i) => data[i] === character.charCodeAt(0));

/** The orientation in an EXIF segment; 1 where it has none that is one. Source: CIPA DC-008. */
function orientationOf(data: Uint8Array): number {
  const tiff = data.subarray(6);
  const little = startsWith(tiff, "II");
  if (tiff.length < 8 || (!little && !startsWith(tiff, "MM"))) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const directory = view.getUint32(4, little);
  if (view.getUint16(2, little) !== 42 || directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const value = view.getUint16(entry + 8, little);
    return view.getUint16(entry + 2, little) === 3 && value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

/** Reads a file segment by segment; what is learnt of it stands in its fields. */
class Reader {
  #at = 2;
  readonly #file: Uint8Array;
  readonly #view: DataView;
  readonly #tables = new Set<string>();
  #frame: Pick<JpegParts, "width" | "height" | "progressive" | "components"> | undefined;
  #interval = 0;
  #scans = 0;
  #adobe: number | undefined;
  #jfif = false;
  #orientation: number | undefined;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  read(): JpegParts {
    for (let marker = this.#marker(); marker !== 0xd9; marker = this.#marker()) this.#segment(marker);
    const frame = this.#frame ?? fail("without a frame");
    const unseen = frame.components.findIndex(({ seen }) => !seen);
    if (unseen >= 0) fail(`without the pixels of its component ${unseen + 1} of ${frame.components.length}`);
    return { ...frame, adobe: this.#adobe, jfif: this.#jfif, orientation: this.#orientation ?? 1 };
  }

  #breakOff(): never {
    return fail(`that breaks off after ${this.#file.length} bytes`);
  }

  /** The next marker, before which there may be bytes 0xff. */
  #marker(): number {
    const start = this.#at;
    while (this.#file[this.#at] === 0xff) this.#at++;
    if (this.#at >= this.#file.length) return this.#breakOff();
    const marker = this.#file[this.#at++]!;
    if (this.#at - start < 2 || marker === 0) return fail(`with no marker at byte ${start}`);
    return marker;
  }

  #segment(marker: number): void {
    if (marker === 0x01) return;
    if (marker >= 0xd0 && marker <= 0xd8) fail(`with a marker ${marker.toString(16)} between its segments`);
    const other = OTHER_FRAMES.get(marker);
    if (other) throw new PictureError(`${other}, which cannot be read`);
    if (this.#at + 2 > this.#file.length) this.#breakOff();
    const length = this.#view.getUint16(this.#at);
    if (length < 2) fail(`with a segment of ${length} bytes`);
    if (this.#at + length > this.#file.length) this.#breakOff();
    const data = this.#file.subarray(this.#at + 2, this.#at + length);
    this.#at += length;
    if (FRAMES.includes(marker)) this.#readFrame(marker, data);
    else if (marker === 0xda) this.#readScan(data);
    else if (marker === 0xc4) this.#readHuffman(data);
    else if (marker === 0xdb) this.#readQuantization(data);
    else if (marker === 0xdd)
      this.#interval = length === 4 ? data[0]! * 256 + data[1]! : fail("with a broken DRI");
    else this.#readApplication(marker, data);
  }

  #readApplication(marker: number, data: Uint8Array): void {
    if (marker === 0xe0 && startsWith(data, "JFIF\0")) this.#jfif = true;
    if (marker === 0xe1 && startsWith(data, "Exif\0\0")) this.#orientation ??= orientationOf(data);
    if (marker === 0xee && startsWith(data, "Adobe") && data.length >= 12) this.#adobe = data[11];
  }

  #readFrame(marker: number, data: Uint8Array): void {
    if (this.#frame) fail("with two frames");
    const [precision, heightHigh, heightLow, widthHigh, widthLow, count] = data as Uint8Array &
      [number, number, number, number, number, number];
    if (data.length < 6 || data.length !== 6 + 3 * count) fail("with a broken frame");
    if (precision !== 8) fail(`of ${precision} bits a sample, where 8 can be read`);
    const [height, width] = [heightHigh * 256 + heightLow, widthHigh * 256 + widthLow];
    if (height === 0 || width === 0) fail(`of ${width}×${height} pixels`);
    if (![1, 3, 4].includes(count)) fail(`of ${count} components, where 1, 3 or 4 can be read`);
    const components = Array.from({ length: count }, (_, i): Component => {
      const [id, factors, quantization] = data.subarray(6 + 3 * i) as Uint8Array & [number, number, number];
      return { id, h: factors >> 4, v: factors & 15, quantization, seen: false };
    });
    if (components.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4))
      fail("with sampling factors beyond 1 to 4");
    const [maxH, maxV] = [
      Math.max(...components.map(({ h }) => h)),
      Math.max(...components.map(({ v }) => v)),
    ];
    if (components.some(({ h, v }) => maxH % h > 0 || maxV % v > 0)) {
      fail("with sampling factors that do not divide each other");
    }
    if (new Set(components.map(({ id }) => id)).size < count) fail("with two components of one name");
    this.#frame = { width, height, progressive: marker === 0xc2, components };
    const blocks = components.reduce((sum, component) => sum + this.#blocks([component]), 0);
    if (blocks > MOST_BLOCKS) {
      fail(`of ${width}×${height} pixels, which takes ${blocks} blocks where ${MOST_BLOCKS} are allowed`);
    }
  }

  #readHuffman(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const counts = data.subarray(at + 1, at + 17);
      const values = counts.reduce((sum, count) => sum + count, 0);
      if (counts.length < 16 || at + 17 + values > data.length) fail("with a broken table of Huffman codes");
      // The codes of each length take their part of all, and no code is all ones.
      const taken = counts.reduce((sum, count, i) => sum + count * (1 << (15 - i)), 0);
      if (taken > 65535) fail("with more Huffman codes than there can be");
      this.#tables.add(`${data[at]! >> 4 === 0 ? "dc" : "ac"} ${data[at]! & 15}`);
      at += 17 + values;
    }
  }

  #readQuantization(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const wide = data[at]! >> 4;
      const size = 1 + 64 * (1 + wide);
      if (wide > 1 || at + size > data.length) fail("with a broken table of quantization");
      this.#tables.add(`quantization ${data[at]! & 15}`);
      at += size;
    }
  }

  /** Blocks of a scan: of one component those it has, of several whole groups. */
  #blocks(components: readonly Component[]): number {
    const { width, height, components: all } = this.#frame!;
    const [maxH, maxV] = [Math.max(...all.map(({ h }) => h)), Math.max(...all.map(({ v }) => v))];
    const [one] = components as [Component];
    if (components.length === 1) {
      return Math.ceil((width * one.h) / maxH / 8) * Math.ceil((height * one.v) / maxV / 8);
    }
    const inGroup = components.reduce((sum, { h, v }) => sum + h * v, 0);
    return Math.ceil(width / 8 / maxH) * Math.ceil(height / 8 / maxV) * inGroup;
  }

  #readScan(data: Uint8Array): void {
    const { components: all, progressive } = this.#frame ?? fail("with pixels before its frame");
    const count = data[0] ?? 0;
    if (count < 1 || count > 4 || data.length !== 4 + 2 * count) fail("with a broken scan");
    if (++this.#scans > MOST_SCANS) fail(`of more than ${MOST_SCANS} scans`);
    const [first, last, steps] = data.subarray(1 + 2 * count) as Uint8Array & [number, number, number];
    const isMean = !progressive || first === 0;
    const inRange = progressive ? last <= 63 && first <= last && (isMean ? last === 0 : count === 1) : true;
    if (!inRange) fail(`with a scan of the coefficients ${first} to ${last}`);
    const components = Array.from({ length: count }, (_, i) => {
      const id = data[1 + 2 * i]!;
      return all.find((component) => component.id === id) ?? fail(`with a scan of a component ${id}`);
    });
    components.forEach((component, i) => {
      const tables = data[2 + 2 * i]!;
      const needed = [`quantization ${component.quantization}`];
      if (isMean && (!progressive || steps >> 4 === 0)) needed.push(`dc ${tables >> 4}`);
      if (!progressive || !isMean) needed.push(`ac ${tables & 15}`);
      const missing = needed.find((name) => !this.#tables.has(name));
      if (missing !== undefined) fail(`without its table ${missing}`);
      if (isMean) component.seen = true;
      else if (!component.seen) fail("with details before its mean values");
    });
    this.#readCodes(components, isMean ? (progressive ? 1 : 2) : 0);
  }

  /**
   * Goes over the coded pixels, of which each block takes `leastBits`, and the markers at which decoding starts anew.
   */
  #readCodes(components: readonly Component[], leastBits: number): void {
    const file = this.#file;
    const start = this.#at;
    let restarts = 0;
    for (; ; this.#at++) {
      this.#at = file.indexOf(0xff, this.#at);
      if (this.#at < 0 || this.#at + 1 >= file.length) this.#breakOff();
      const marker = file[this.#at + 1]!;
      if (marker >= 0xd0 && marker <= 0xd7) {
        if (marker !== 0xd0 + (restarts++ & 7)) fail("whose restart markers are not in order");
      } else if (marker !== 0 && marker !== 0xff) break;
    }
    const blocks = this.#blocks(components);
    const groups =
      components.length === 1 ? blocks : blocks / components.reduce((sum, { h, v }) => sum + h * v, 0);
    const expected = this.#interval > 0 ? Math.ceil(groups / this.#interval) - 1 : 0;
    if (restarts !== expected) fail(`with ${restarts} restart markers in a scan, where ${expected} are due`);
    const bytes = this.#at - start;
    if (8 * bytes < leastBits * blocks) {
      const { width, height } = this.#frame!;
      fail(`of ${width}×${height} pixels, for which its ${bytes} bytes of codes are too few`);
    }
  }
}

/** Reads a file's segments up to its end marker. @throws PictureError */
export function readSegments(file: Uint8Array): JpegParts {
  return new Reader(file).read();
}
