/** A case for hosts: what has pixels there becomes an image, and where nothing can draw that is said. */
import { OptionError } from "im2row";
import { fromPixels, type PixelSource } from "im2row/images";
import type { Case } from "../../conformance/case.ts";
import { close, same, throws } from "../../conformance/expect.ts";

const [WIDTH, HEIGHT] = [8, 6];

/** Left half red, right half a grey, all of it opaque. */
const EXPECTED = Array.from({ length: HEIGHT * WIDTH }, (_, pixel) =>
  pixel % WIDTH < WIDTH / 2 ? [255, 0, 0] : [90, 90, 90],
).flat();

function draw(canvas: OffscreenCanvas | HTMLCanvasElement): void {
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.fillStyle = "rgb(255 0 0)";
  context.fillRect(0, 0, WIDTH / 2, HEIGHT);
  context.fillStyle = "rgb(90 90 90)";
  context.fillRect(WIDTH / 2, 0, WIDTH / 2, HEIGHT);
}

/** Videos have colours of their own kind, which are converted on the way. */
function expectImage(name: string, source: PixelSource, shades = 0): void {
  const { shape, data } = fromPixels(source);
  same(`${name}: shape`, shape, [HEIGHT, WIDTH, 3]);
  close(name, data, EXPECTED, () => shades);
}

async function expectPixels(): Promise<void> {
  // Deno has the class, and no context that draws.
  if (typeof OffscreenCanvas === "undefined" || !new OffscreenCanvas(1, 1).getContext("2d")) {
    const message =
      "fromPixels: expected ImageData or a canvas where the host has no OffscreenCanvas that draws, got another image";
    throws("fromPixels", () => fromPixels({ width: WIDTH, height: HEIGHT }), OptionError, message);
    return;
  }
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  draw(canvas);
  expectImage("OffscreenCanvas", canvas);
  expectImage("ImageData", canvas.getContext("2d")!.getImageData(0, 0, WIDTH, HEIGHT));
  expectImage("ImageBitmap", await createImageBitmap(canvas));
  if (typeof VideoFrame !== "undefined") {
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    expectImage("VideoFrame", frame, 2);
    frame.close();
  }
  if (typeof document !== "undefined") {
    const element = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    draw(element);
    expectImage("canvas", element);
  }
}

export const pixelsCase: Case = { name: "what the host draws becomes an image", run: expectPixels };
