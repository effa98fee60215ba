/** The images of pillow/goldens.json. */
import type { ImageTensor } from "im2row/images";
import goldens from "./pillow/goldens.json" with { type: "json" };

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(text, "base64"));

export function imageNamed(name: string): ImageTensor {
  const { height, width, channels, bytes } = goldens.images[name as keyof typeof goldens.images];
  return { shape: [height, width, channels], data: bytesOf(bytes) };
}
