/** Right answers: the Worker in workerd over HTTP, and the same handler called in Node. */
import { encode } from "fast-png";
import { beforeAll, describe, expect, it } from "vitest";
import { encodePng } from "../../support/png.ts";
import {
  type Answer,
  draw,
  type Handle,
  importHandler,
  model,
  png,
  sample,
  send,
  SIDE,
  text,
  useWorker,
} from "./support.ts";

const { address, post } = useWorker();
let direct: Handle;
beforeAll(async () => {
  const { createHandler, load } = await importHandler();
  direct = createHandler(load, model);
});

describe("the Worker", () => {
  it("answers two first requests at once", async () => {
    const [one, other] = await Promise.all([text(post(sample)), text(post(sample))]);
    const { digit, probabilities } = JSON.parse(one) as Answer;
    expect(digit).toBe(7);
    expect(probabilities).toHaveLength(10);
    expect(probabilities[7]).toBe(Math.max(...probabilities));
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    expect(other).toBe(one);
  });

  it("knows drawn digits it was not trained on, with the bits of Node", async () => {
    // Of 10,000 others 99.77 % were right: 4 wrong ones of 100 would be one chance in 10,000.
    let right = 0;
    for (const seed of [101, 102, 103, 104, 105]) {
      for (const { pixels, label } of draw(20, seed)) {
        const body = png(pixels);
        const found = await text(post(body));
        expect(found).toBe(await text(send(direct, body)));
        if ((JSON.parse(found) as Answer).digit === label) right++;
      }
    }
    expect(right).toBeGreaterThanOrEqual(97);
  });

  it("says how it is used", async () => {
    const response = await fetch(address());
    expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await text(Promise.resolve(response))).toMatch(/^POST a PNG image/);
    const head = await fetch(address(), { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

describe("one image in any form has the same answer:", () => {
  const { pixels } = draw(10, 200).find(({ label }) => label === 4)!;
  const wide = (data: Uint8Array): Uint16Array => Uint16Array.from(data, (value) => 257 * value);
  const each = (pixel: (value: number) => number[]): Uint8Array =>
    Uint8Array.from([...pixels].flatMap(pixel));
  /** Samples of `depth` bits, each row from a new byte. */
  const packed = (depth: number, from = pixels): Uint8Array => {
    const rowBytes = Math.ceil((SIDE * depth) / 8);
    const data = new Uint8Array(SIDE * rowBytes);
    from.forEach((value, i) => {
      const bit = (i % SIDE) * depth;
      data[Math.floor(i / SIDE) * rowBytes + (bit >> 3)]! |=
        (value >> (8 - depth)) << (8 - depth - (bit & 7));
    });
    return data;
  };
  /** The image with as many shades as `depth` bits have. */
  const coarse = (depth: number): Uint8Array =>
    pixels.map((value) => ((value >> (8 - depth)) * 255) / (2 ** depth - 1));
  const greys = (depth: number): number[][] =>
    Array.from({ length: 2 ** depth }, (_, i) =>
      Array.from({ length: 3 }, () => (i * 255) / (2 ** depth - 1)),
    );
  const inverted = pixels.map((value) => 255 - value);
  const rgb = each((v) => [v, v, v]);
  const rgba = each((v) => [v, v, v, 255]);

  it.each<[string, () => Uint8Array, Uint8Array?]>([
    ["RGB", () => png(rgb, { channels: 3 })],
    ["RGBA", () => png(rgba, { channels: 4 })],
    [
      "grey with alpha",
      () =>
        png(
          each((v) => [v, 255]),
          { channels: 2 },
        ),
    ],
    ["16 bits", () => png(wide(pixels), { depth: 16 })],
    ["RGB, 16 bits", () => png(wide(rgb), { channels: 3, depth: 16 })],
    ["RGBA, 16 bits", () => png(wide(rgba), { channels: 4, depth: 16 })],
    ["a palette", () => png(pixels, { palette: greys(8) })],
    [
      "interlaced",
      () => encode({ width: SIDE, height: SIDE, channels: 1, data: pixels }, { interlace: "Adam7" }),
    ],
    ["dark on light", () => png(inverted)],
    [
      "dark on light, RGB",
      () =>
        png(
          each((v) => [255 - v, 255 - v, 255 - v]),
          { channels: 3 },
        ),
    ],
    [
      "white ink on nothing",
      () =>
        png(
          each((v) => [255, 255, 255, v]),
          { channels: 4 },
        ),
    ],
    [
      "black ink on nothing",
      () =>
        png(
          each((v) => [0, 0, 0, v]),
          { channels: 4 },
        ),
    ],
    ["4 bits", () => png(packed(4), { depth: 4 }), coarse(4)],
    ["2 bits", () => png(packed(2), { depth: 2 }), coarse(2)],
    ["1 bit", () => png(packed(1), { depth: 1 }), coarse(1)],
    ["a palette of 4 bits", () => png(packed(4), { depth: 4, palette: greys(4) }), coarse(4)],
    [
      "a palette with nothing as its ground",
      () =>
        png(packed(1), {
          depth: 1,
          palette: [
            [9, 9, 9, 0],
            [255, 255, 255, 255],
          ],
        }),
      coarse(1),
    ],
  ])("%s", async (_, encoded, same = pixels) => {
    const answer = await text(post(encoded()));
    expect((JSON.parse(answer) as Answer).digit).toBe(4);
    expect(answer).toBe(await text(post(png(same))));
  });

  it("a colour that is transparent", async () => {
    const image = { width: SIDE, height: SIDE, depth: 8, colourType: 0, samples: pixels };
    const opacity = png(
      each((v) => [v, v === 0 ? 0 : 255]),
      { channels: 2 },
    );
    const body = encodePng({ ...image, transparency: Uint8Array.of(0, 0) });
    expect(await text(post(body))).toBe(await text(post(opacity)));
  });

  it.each([1, 2, 4])("interlaced, %d bits", async (depth) => {
    const samples = pixels.map((value) => value >> (8 - depth));
    const image = { width: SIDE, height: SIDE, depth, colourType: 0, samples, interlaced: true };
    expect(await text(post(encodePng(image)))).toBe(await text(post(png(coarse(depth)))));
  });

  it("red on green is grey by its brightness", async () => {
    const coloured = png(
      each((v) => [v, 255 - v, 0]),
      { channels: 3 },
    );
    const grey = png(
      wide(pixels).map((v) => Math.round((299 * v + 587 * (65535 - v)) / 1000)),
      { depth: 16 },
    );
    const [a, b] = [await text(post(coloured)), await text(post(grey))].map((t) => JSON.parse(t) as Answer);
    a!.probabilities.forEach((p, i) => expect(p).toBeCloseTo(b!.probabilities[i]!, 3));
  });
});
