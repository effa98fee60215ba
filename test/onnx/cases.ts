/** The cases of the ONNX conformance suites: a model, its inputs and the outputs that it should have. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Engine } from "../../src/ops/engine.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { decodeModel, decodeTensor } from "../../src/onnx/file/decode.ts";
import { fromNumbers } from "../../src/onnx/import/feeds.ts";
import { readTensor } from "../../src/onnx/file/tensorData.ts";
import { DATA } from "../support/data.ts";

export const CASES = `${DATA}/conformance/onnx`;
export const GROUPS = ["node", "pytorch-converted", "pytorch-operator", "simple"];

/** ONNX's own tolerances. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-5;

/** The result of a case; `reason` says why it did not pass. */
export interface CaseResult {
  readonly name: string;
  /** The operators of its graph. */
  readonly operators: readonly string[];
  readonly status: "passed" | "failed" | "unsupported";
  readonly reason?: string;
}

/** A tensor in a file of its own, as nets take it. */
export function readTensorFile(path: string): OnnxTensor {
  const constant = readTensor(path, decodeTensor(readFileSync(path)));
  return { shape: constant.shape, data: fromNumbers(constant.type, constant.data()) };
}

/** Says where `given` differs from `wanted`; undefined when nowhere. */
export function difference(given: OnnxTensor | undefined, wanted: OnnxTensor): string | undefined {
  if (!given) return "no such output";
  if (given.shape.join() !== wanted.shape.join())
    return `shape ${given.shape.join("×")} instead of ${wanted.shape.join("×")}`;
  if (given.data.constructor !== wanted.data.constructor)
    return `${given.data.constructor.name} instead of ${wanted.data.constructor.name}`;
  for (let i = 0; i < wanted.data.length; i++) {
    const [a, b] = [Number(given.data[i]), Number(wanted.data[i])];
    const same = Object.is(a, b) || a === b || Math.abs(a - b) <= ABSOLUTE + RELATIVE * Math.abs(b);
    if (!same) return `${a} instead of ${b} at ${i}`;
  }
  return undefined;
}

function files(folder: string, kind: "input" | "output"): string[] {
  return Array.from({ length: 100 }, (_, i) => `${folder}/${kind}_${i}.pb`).filter((path) =>
    existsSync(path),
  );
}

/** The data sets of a case, each with its inputs by name. */
export function* dataSets(
  folder: string,
  names: readonly string[],
): Generator<{ path: string; feeds: Record<string, OnnxTensor> }> {
  for (const entry of readdirSync(folder).filter((name) => name.startsWith("test_data_set_"))) {
    const path = `${folder}/${entry}`;
    const given = files(path, "input").map(readTensorFile);
    yield { path, feeds: Object.fromEntries(names.map((name, i) => [name, given[i]!])) };
  }
}

/** Runs all data sets of a case. */
export async function runCase(engine: Engine, folder: string): Promise<CaseResult> {
  const bytes = readFileSync(`${folder}/model.onnx`);
  const name = folder.split("/").at(-1)!;
  const operators = [...new Set(decodeModel(bytes).graph!.nodes.map(({ opType }) => opType))];
  let net: Awaited<ReturnType<typeof loadOnnx>> | undefined;
  try {
    net = await loadOnnx(bytes, { engine });
    for (const { path, feeds } of dataSets(folder, net.inputNames)) {
      const outputs = net.predict(feeds);
      for (const [i, file] of files(path, "output").entries()) {
        const wrong = difference(outputs[net.outputNames[i]!], readTensorFile(file));
        if (wrong) return { name, operators, status: "failed", reason: `output ${i}: ${wrong}` };
      }
    }
    return { name, operators, status: "passed" };
  } catch (error) {
    const { message } = error as Error;
    return {
      name,
      operators,
      status: (error as Error).name === "FormatError" ? "unsupported" : "failed",
      reason: message,
    };
  } finally {
    net?.dispose();
  }
}
