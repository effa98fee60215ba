/** Native onnxruntime, which the benchmark's folder installs. */
import { createRequire } from "node:module";
import { tensor, type InputTensor, type Tensor } from "im2row";

/** The part of onnxruntime's API that the tests use. */
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
  readonly Tensor: new (
    type: "float32" | "uint8",
    data: Float32Array | Uint8Array,
    dims: readonly number[],
  ) => OrtTensor;
}

const ABSENT = "onnxruntime-node: expected it in bench/node_modules, got none (npm ci --prefix bench)";

/** @throws Error where there has to be one, with `CI` in the environment */
function installed(): Onnxruntime | undefined {
  const require = createRequire(new URL("../../bench/package.json", import.meta.url));
  try {
    require.resolve("onnxruntime-node");
  } catch (error) {
    if (process.env["CI"]) throw new Error(ABSENT, { cause: error });
    console.warn(`${ABSENT}: its tests are skipped`);
    return undefined;
  }
  return require("onnxruntime-node") as Onnxruntime;
}

const ort = installed();

/** True when tests that run files are to be skipped; the reason is printed. */
export const onnxruntimeIsAbsent = ort === undefined;

/** The outputs of a file by name, on one thread. */
export async function runOnnx(
  file: Uint8Array,
  feeds: Readonly<Record<string, InputTensor>>,
): Promise<Record<string, Tensor>> {
  const { InferenceSession, Tensor: OrtTensor } = ort!;
  const session = await InferenceSession.create(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: 1,
    // It warns of shapes that its own shape inference rounds otherwise.
    logSeverityLevel: 3,
    interOpNumThreads: 1,
  });
  const given = Object.entries(feeds).map(([name, { shape, data }]) => [
    name,
    new OrtTensor(data instanceof Uint8Array ? "uint8" : "float32", data, shape),
  ]);
  const outputs = await session.run(Object.fromEntries(given));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { dims, data }]) => [name, tensor(data, dims)]),
  );
}
