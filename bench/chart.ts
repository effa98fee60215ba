/** The chart of the documents: speed of the forward convolutions of one network, a dot for each contender. */
import { OURS, speedOf, type Result } from "./result.ts";

const NETWORK = "resnet-18";
const CONTENDERS: Readonly<Record<string, string>> = {
  [OURS]: "#d9480f",
  "onnxruntime-node": "#868e96",
  "tfjs-wasm": "#1c7ed6",
  "onnxruntime-web": "#7048e8",
};

/** SVG of the convolutions of ResNet-18 in GFLOP/s. @throws Error when there are none. */
export async function chart(results: readonly Result[]): Promise<string> {
  const { parse, View } = await import("vega");
  const { compile } = await import("vega-lite");
  const cases = results.filter(({ suite, networks }) => suite === "conv2d" && networks.includes(NETWORK));
  if (cases.length === 0) throw new Error(`chart: expected results of ${NETWORK}`);
  const values = cases.flatMap((result) =>
    Object.keys(CONTENDERS)
      .filter((contender) => result.ms[contender] !== undefined)
      .map((contender) => ({ shape: result.name, contender, speed: speedOf(result, contender) })),
  );
  const { spec } = compile({
    title: { text: "Convolutions of ResNet-18, batch 1, one core", anchor: "start" },
    width: 520,
    height: { step: 26 },
    background: "white",
    padding: 12,
    data: { values },
    mark: { type: "point", filled: true, size: 90, opacity: 0.9 },
    encoding: {
      y: { field: "shape", type: "nominal", sort: null, title: null, axis: { grid: true, labelLimit: 260 } },
      x: { field: "speed", type: "quantitative", title: "GFLOP/s of the definition" },
      color: {
        field: "contender",
        type: "nominal",
        title: null,
        scale: { domain: Object.keys(CONTENDERS), range: Object.values(CONTENDERS) },
        legend: { orient: "top" },
      },
    },
  });
  return `${await new View(parse(spec), { renderer: "none" }).toSVG()}\n`;
}
