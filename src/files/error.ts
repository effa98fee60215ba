import { OwnError } from "../errors.ts";

/**
 * A place that could not be read or written: names the place, the expected and the given. `cause` is the error of the
 * system, the browser or the network, where there is one.
 */
export class StorageError extends OwnError {
  override name = "StorageError";
}
