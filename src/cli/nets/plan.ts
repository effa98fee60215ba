/** Sessions for shapes and numbers of images from the command line. */
import { ShapeError } from "../../errors.ts";
import { byName, type NamedShape } from "./inputs.ts";
import type { Net, NetSession } from "./net.ts";

/** A session as the options say. @throws ShapeError, which names them */
export function sessionOf(net: Net, shape: readonly NamedShape[], batch?: number): NetSession {
  const names = net.inputs.map(({ name }) => name);
  const shapes = Object.fromEntries(
    [...byName("shape", shape, names)].map(([name, each]) => [name, each.shape]),
  );
  try {
    return net.session({ shapes, ...(batch !== undefined && { batchSize: batch }) });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const text = error.message.replace(/^session: shapes: /, "--shape: ").replace(/^session: /, "--batch: ");
    throw new ShapeError(text, { cause: error });
  }
}
