/** Native onnxruntime, which the benchmark's folder installs. */
import { createRequire } from "node:module";
import { tensor, type Tensor } from "im2row";

/** What of its API the tests use. */
interface OrtTensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

interface Onnxruntime {
  readonly InferenceSession: { create(file: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
}

export type OnnxRun = (
  file: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
) => Promise<Record<string, Tensor>>;

const INSTALL = "npm ci --prefix bench --ignore-scripts";

function installed(): Onnxruntime | undefined {
  const require = createRequire(new URL("../../bench/package.json", import.meta.url));
  try {
    require.resolve("onnxruntime-node");
  } catch (error) {
    if (process.env["CI"])
      throw new Error(`onnxruntime-node: expected it in bench/; ${INSTALL}`, { cause: error });
    return undefined;
  }
  return require("onnxruntime-node") as Onnxruntime;
}

const ort = installed();

/** Why there is no onnxruntime, for the title of what is skipped; `""` when there is one. With `CI` set there has to be. */
export const onnxruntimeAbsent = ort ? "" : ` (absent: ${INSTALL})`;

/** The outputs of a file by name, on one thread, without rewriting its graph unless asked to. */
export const runOnnx: OnnxRun = async (file, feeds) => {
  const { InferenceSession, Tensor: OrtTensor } = ort!;
  const session = await InferenceSession.create(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Errors alone: it warns of constants that it does not need.
    logSeverityLevel: 3,
  });
  const given = Object.entries(feeds).map(([name, { shape, data }]) => [
    name,
    new OrtTensor("float32", data, shape),
  ]);
  const outputs = await session.run(Object.fromEntries(given));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dims, data }]) => [name, tensor(data, dims)]),
  );
};
