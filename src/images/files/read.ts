import { readJpeg } from "./jpeg.ts";
import { isJpeg } from "./jpegSegments.ts";
import { PictureError, type Picture } from "./picture.ts";
import { isPng, readPng } from "./png.ts";

/** Files that are sometimes taken for an image or an array begin with these characters, some of them at an offset. */
const KINDS: readonly (readonly [name: string, start: string, at?: number])[] = [
  ["a JPEG image", "\u00ff\u00d8\u00ff"],
  ["a .npy array", "\u0093NUMPY"],
  ["a GIF image", "GIF8"],
  ["a WebP image", "WEBP", 8],
  ["a BMP image", "BM"],
  ["a TIFF image", "II*\0"],
  ["a TIFF image", "MM\0*"],
  ["an AVIF or HEIC image", "ftyp", 4],
  ["a JPEG 2000 image", "\0\0\0\fjP"],
  ["an SVG image", "<svg"],
  ["a PDF document", "%PDF"],
  ["a zip archive (.npz is one)", "PK\u0003\u0004"],
  ["a gzip file", "\u001f\u008b"],
  ["HTML", "<!DOCTYPE"],
];

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  Array.from(text).every((character, i) => bytes[i] === character.charCodeAt(0));

/** Names the kind of a file by its first bytes. */
export function kindOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  if (isPng(bytes)) return "a PNG image";
  // The signature breaks when ends of lines are changed on the way.
  if (startsWith(bytes, "\u0089PNG")) return "a PNG image with a broken signature";
  const kind = KINDS.find(([, start, at = 0]) => startsWith(bytes.subarray(at), start));
  if (kind) return kind[0];
  if (bytes.subarray(0, 32).every((byte) => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13)))
    return "text";
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `a file that begins with the bytes ${first}`;
}

export const isImage = (bytes: Uint8Array): boolean => isPng(bytes) || isJpeg(bytes);

/** The image in a PNG or JPEG file. @throws PictureError */
export function readImage(bytes: Uint8Array): Picture {
  if (isPng(bytes)) return readPng(bytes);
  if (isJpeg(bytes)) return readJpeg(bytes);
  throw new PictureError(kindOf(bytes));
}
