/** Pictures on their way into a net: decoded, resized and normalized, with one digest. */
import { FormatError, type Engine } from "im2row";
import { centerCrop, decodeImage, fromPixels, imageNet, normalize, resize } from "im2row/images";
import { Digest } from "../support/digest.ts";
import type { Case } from "./case.ts";
import golden from "./digests.json" with { type: "json" };
import { same, throws } from "./expect.ts";

/** A PNG of 9×6 pixels of RGB and opacity; test/images/pillow/make.py makes it. */
const PNG = [
  "89504e470d0a1a0a0000000d494844520000000900000006080600000011c7b4c5000000df49444154789c05c14f2b830100",
  "06f0e77d9ef751ef5a9638a0261c7071584e562ed2560e261fc0bb7670d45af201247f4a392851f6096837b958dad14a3950",
  "5cec62a7ad89dc507ebf00a738708b0dbf71c67bacf98663719ddbbee4872b3cf71617433ce908fd4ce093afc8b0831efbd0",
  "e40ed2cc609e098cb04b4ca9847da5505011674ae3501b682a8f2b0d624debd8d54f8064b4e2654efa84b77ee684b31c8eef",
  "39e46966fdc80b17d825deb5808ec671ac1cdaea61550f98d51c4afa424bdfa86a204039b5e917d67ccdd04b2c3b623d0e19",
  "f997a3fe63de15defd03788635b92084e4740000000049454e44ae426082",
];

/** A JPEG of 21×13 pixels, its colours at half the resolution; test/images/jpegs/make.py makes it. */
const JPEG = [
  "ffd8ffe000104a46494600010100000100010000ffdb00430002010101010102010101020202020204030202020205040403",
  "04060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a0affdb004301020202020202",
  "050303050a0706070a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
  "0a0a0a0a0a0a0a0affc0001108000d001503012200021101031101ffc4001700000301000000000000000000000000000004",
  "0506ffc40023100001030205050000000000000000000001000204031105122131510622233291ffc4001701000301000000",
  "0000000000000000000005060709ffc4002311000103020505000000000000000000000102030500040711122151083171c1",
  "e1ffda000c03010002110311003f004676305a730a9623620a5cf528900d3aaf01e3e39439f3ab6aa2ce9f59bdcd36e35d93",
  "640600dbc55c6b4252527b8db7fbc1f540700e390e06878ad3c9c5bc9ef642ca52c5a4486667dae0d89e50ae169d3b44dd5b",
  "21e6c27250ceb4fe263f4c6b40f15fffd9",
];

const bytesOf = (lines: readonly string[]): Uint8Array =>
  Uint8Array.from(lines.join("").match(/../g)!, (byte) => parseInt(byte, 16));

/** The digest over the bytes and numbers of every step. */
export function imagesDigest(engine: Engine): string {
  const hash = new Digest();
  for (const file of [PNG, JPEG]) {
    for (const channels of [1, 3, 4] as const) {
      const image = decodeImage(bytesOf(file), { channels });
      hash.bytes(image.data);
      for (const interpolation of ["bilinear", "bicubic", "nearest"] as const) {
        for (const fit of ["stretch", "crop", "letterbox"] as const) {
          hash.bytes(resize(engine, image, { size: [8, 11], interpolation, fit, fillValue: 114 }).data);
        }
      }
      const prepared = centerCrop(resize(engine, image, { shortSide: 8 }), 8);
      for (const layout of ["NHWC", "NCHW"] as const) {
        hash.elements(normalize(engine, prepared, { layout }).data);
        if (channels === 3) hash.elements(normalize(engine, prepared, { ...imageNet, layout }).data);
      }
    }
  }
  return hash.toString();
}

/** Pixels as a canvas has them are the image that a file of them is. */
function expectPixels(): void {
  const rgba = decodeImage(bytesOf(PNG), { channels: 4 });
  const [height, width] = rgba.shape as [number, number];
  const imageData = { width, height, data: new Uint8ClampedArray(rgba.data) };
  for (const channels of [1, 3, 4] as const) {
    same(`${channels}`, fromPixels(imageData, { channels }), decodeImage(bytesOf(PNG), { channels }));
  }
}

export const imageCases: readonly Case[] = [
  {
    name: "a PNG and a JPEG, decoded, resized and normalized, have the golden digest",
    run: ({ engine }) => same("images", imagesDigest(engine), golden.images),
  },
  { name: "pixels of a canvas are the image that a file of them is", run: expectPixels },
  {
    name: "a broken picture is refused",
    run() {
      const broken = bytesOf(PNG).subarray(0, 50);
      const message =
        "decodeImage: expected a PNG or JPEG image, got a PNG image that breaks off after 50 bytes";
      throws("decodeImage", () => decodeImage(broken), FormatError, message);
    },
  },
];
