/** Native PyTorch on one core, by a script that prints one JSON object a network. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { DATA } from "../../test/support/data.ts";

const SCRIPT = `${DATA}/tools/torch_train_step.py`;
/** Debian's packages belong to the system's interpreter, which need not be the first on the path. */
const INTERPRETERS = ["/usr/bin/python3", "python3"];

/** Milliseconds of a training step and of an inference, by net and batch, `lenet5 b64`. */
export interface TorchTimes {
  readonly version: string;
  readonly steps: Readonly<Record<string, { readonly step: number; readonly inference: number }>>;
}

/** Runs the script, or tells why it cannot. */
export function torchTimes(): TorchTimes | string {
  if (!existsSync(SCRIPT)) return "the script of its training steps is not there";
  const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  const version = (python: string) =>
    spawnSync(python, ["-c", "import torch; print(torch.__version__)"], { env, encoding: "utf8" });
  const python = INTERPRETERS.find((name) => version(name).status === 0);
  if (python === undefined) return "python3 has no torch (Debian: python3-torch, libopenblas0-pthread)";
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT], { env, encoding: "utf8" });
  if (status !== 0) return `the script ended with ${status}: ${stderr.trim().split("\n").at(-1)}`;
  const lines = stdout.trim().split("\n");
  const entries = lines.map((line) => {
    const {
      net,
      batch,
      step_ms: step,
      infer_ms: inference,
    } = JSON.parse(line) as {
      net: string;
      batch: number;
      step_ms: number;
      infer_ms: number;
    };
    return [`${net} b${batch}`, { step, inference }] as const;
  });
  return { version: version(python).stdout.trim(), steps: Object.fromEntries(entries) };
}
