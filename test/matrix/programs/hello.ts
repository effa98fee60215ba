/** From nothing to the first output: what a cold start is made of. */
import { load } from "im2row";
import { lenet5 } from "../../conformance/nets.ts";

export async function main(print: (line: string) => void): Promise<void> {
  const model = lenet5(1);
  model.compile({ engine: await load() });
  const session = model.session({ batchSize: 1 });
  session.input.fill(0.5);
  session.run();
  print(`first output ${session.output[0]}`);
}
