import { readJpeg } from "./jpeg.ts";
import { isJpeg } from "./jpegSegments.ts";
import { PictureError, type Picture } from "./picture.ts";
import { isPng, readPng } from "./png.ts";

/** How files begin that are sometimes taken for an image or an array. */
const KINDS: readonly (readonly [name: string, start: string, at?: number])[] = [
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

/** What a file is, by its first bytes. */
export function kindOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const kind = KINDS.find(([, start, at = 0]) =>
    Array.from(start).every((character, i) => bytes[at + i] === character.charCodeAt(0)),
  );
  if (kind) return kind[0];
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
