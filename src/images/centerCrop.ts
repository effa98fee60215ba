import { ShapeError } from "../errors.ts";
import { sizePair, type Size } from "../options.ts";
import { shapeText, type Tensor } from "../tensor.ts";
import { roundHalfEven } from "./fit.ts";
import { readImages, shapeOf, type ImageTensor } from "./image.ts";

/**
 * The middle of an image, or of each of several of one size: bytes `[oh, ow, c]`, or `[n, oh, ow, c]`, from the row
 * `(h − oh) / 2` on, rounded to the nearest and of two to the even one, as torchvision's `CenterCrop` does; columns
 * likewise.
 * @throws OptionError; ShapeError where the image is smaller
 */
export function centerCrop(image: Tensor<Uint8Array>, size: Size): ImageTensor {
  const images = readImages("centerCrop: image", image);
  const [oh, ow] = sizePair("centerCrop: size", size);
  const { n, h, w, c, data: pixels } = images;
  if (oh > h || ow > w) {
    throw new ShapeError(
      `centerCrop: expected an image of at least ${oh}×${ow} pixels, got ${shapeText([h, w])}`,
    );
  }
  const [top, left] = [roundHalfEven((h - oh) / 2), roundHalfEven((w - ow) / 2)];
  const data = new Uint8Array(n * oh * ow * c);
  for (let i = 0; i < n * oh; i++) {
    const from = ((Math.floor(i / oh) * h + top + (i % oh)) * w + left) * c;
    data.set(pixels.subarray(from, from + ow * c), i * ow * c);
  }
  return { shape: shapeOf(images, [oh, ow]), data };
}
