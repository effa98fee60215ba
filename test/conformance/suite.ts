/** The conformance suite: what the public API promises, in cases that any host of ECMAScript and WebAssembly can run. */
import type { Engine } from "im2row";
import type { Case, Context } from "./case.ts";
import { convolutionCases } from "./convolutions.ts";
import { differenceCases } from "./differences.ts";
import { digestCases } from "./digests.ts";
import { errorCases } from "./errors.ts";
import { fileCases } from "./files.ts";
import { freezingCases } from "./freezing.ts";
import { goldenCases } from "./goldens.ts";
import { gradientCases } from "./gradients.ts";
import { graphCases } from "./graphs.ts";
import { imageCases } from "./images.ts";
import { kernelCases } from "./kernels.ts";
import { memoryCases } from "./memory.ts";
import { onnxCases } from "./onnx.ts";
import { operatorsDigest } from "./operatorsDigest.ts";
import { optimizerCases } from "./optimizers.ts";
import { ownPartsDigest } from "./ownParts.ts";
import { poolingCases } from "./pooling.ts";
import { PRINTED } from "./printed.ts";
import { receiptCases } from "./receipts.ts";
import { refusalCases } from "./refusals.ts";
import { resumedDigest } from "./resumed.ts";
import { streamedDigest } from "./streamed.ts";
import { describeThreads, threadCases } from "./threads.ts";
import { trainingCases } from "./training.ts";
import { weightsDigest } from "./weightsDigest.ts";

/** A case is known by its name alone. @throws Error on the first that is taken. */
function uniquelyNamed(list: readonly Case[]): readonly Case[] {
  const names = new Set<string>();
  for (const { name } of list) {
    if (names.has(name))
      throw new Error(`suite: expected a name of its own for each case, got "${name}" twice`);
    names.add(name);
  }
  return list;
}

export const cases: readonly Case[] = uniquelyNamed([
  ...kernelCases,
  ...convolutionCases,
  ...poolingCases,
  ...differenceCases,
  ...gradientCases,
  ...goldenCases,
  ...optimizerCases,
  ...trainingCases,
  ...freezingCases,
  ...graphCases,
  ...fileCases,
  ...onnxCases,
  ...imageCases,
  ...refusalCases,
  ...errorCases,
  ...memoryCases,
  ...threadCases,
  ...digestCases,
  ...receiptCases,
]);

const DIGESTS: Record<(typeof PRINTED)[number], (engine: Engine) => string | Promise<string>> = {
  operators: operatorsDigest,
  weights: weightsDigest,
  streamed: streamedDigest,
  ownParts: ownPartsDigest,
  resumed: resumedDigest,
};

/** Prints the digests as `<name> <digest>`, each on a line. */
export async function printDigests({ engine }: Context, print: (line: string) => void): Promise<void> {
  for (const name of PRINTED) print(`${name} ${await DIGESTS[name](engine)}`);
}

/** Runs all cases, one after the other; prints the failures, then `<N> passed, <N> failed`, the threads and the digests. */
export async function runSuite(
  context: Context,
  print: (line: string) => void,
  list: readonly Case[] = cases,
): Promise<{ passed: number; failed: number }> {
  let failed = 0;
  for (const { name, run } of list) {
    try {
      await run(context);
    } catch (error) {
      failed++;
      print(`FAIL ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const passed = list.length - failed;
  print(`${passed} passed, ${failed} failed`);
  print(`threads ${await describeThreads(context)}`);
  await printDigests(context, print);
  return { passed, failed };
}
