import { Inflate } from "fflate/browser";
import { PictureError } from "./picture.ts";

/** The least compressed bytes that are unpacked at once. */
const LEAST_SLICE = 1024;

/** The largest prime below 2¹⁶, and how many bytes can be summed before a sum must be reduced by it. */
const MODULUS = 65521;
const UNREDUCED = 5552;

/** Deflate makes 258 bytes of two bits at best. Source: RFC 1951. */
const MOST_RATIO = 1032;

/** Source: RFC 1950, section 9. */
function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += UNREDUCED) {
    const end = Math.min(start + UNREDUCED, bytes.length);
    for (let i = start; i < end; i++) {
      low += bytes[i]!;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return high * 65536 + low;
}

/** Whether so many compressed bytes can become so many. */
export const canInflate = (compressed: number, size: number): boolean => size <= MOST_RATIO * compressed;

/**
 * Unpacks a zlib stream (RFC 1950) that has `size` bytes, of which no more are made than these.
 * @throws PictureError, in which the stream is called the pixels of `what`
 */
export function unzlib(stream: Uint8Array, size: number, what: string): Uint8Array {
  const fail = (fault: string): never => {
    throw new PictureError(`${what} ${fault}`);
  };
  // Method, flags and checksum, and at least one byte between.
  if (stream.length < 7) fail("whose pixels break off");
  const [method, flags] = stream as Uint8Array & [number, number];
  const isDeflate = (method & 15) === 8 && method >> 4 <= 7 && (flags & 32) === 0;
  if (!isDeflate || (method * 256 + flags) % 31 !== 0) fail("whose pixels are not compressed by deflate");
  const bytes = new Uint8Array(size);
  let at = 0;
  const inflate = new Inflate((part) => {
    if (at + part.length > size) fail(`that has more than its ${size} bytes of pixels`);
    bytes.set(part, at);
    at += part.length;
  });
  const end = stream.length - 4;
  // What goes beyond the size is noticed before it is as much again.
  const slice = Math.max(LEAST_SLICE, Math.floor(size / MOST_RATIO));
  try {
    for (let start = 2; start < end; start += slice) {
      inflate.push(stream.subarray(start, Math.min(start + slice, end)), start + slice >= end);
    }
  } catch (error) {
    if (error instanceof PictureError) throw error;
    fail(`whose pixels are broken (${(error as Error).message})`);
  }
  if (at < size) fail(`that has ${at} of its ${size} bytes of pixels`);
  const checksum = new DataView(stream.buffer, stream.byteOffset + end).getUint32(0);
  if (adler32(bytes) !== checksum) fail("with a wrong checksum of its pixels");
  return bytes;
}
