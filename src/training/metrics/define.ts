/** Metrics of users. */
import { checkFunctions } from "../../definition.ts";
import { OptionError } from "../../errors.ts";
import { checkName, checkOptions, isPlainObject, positiveInteger, show } from "../../options.ts";
import type { Metric } from "./metric.ts";

/**
 * Makes a metric for `compile`: the figure over all rows of an output, by the name under which `evaluate` returns it.
 *
 * @example
 * const worst = defineMetric({
 *   name: "worst",
 *   start() {
 *     let most = 0;
 *     return {
 *       add: (row, target) => (most = Math.max(most, Math.abs(row[0]! - target[0]!))),
 *       result: () => most,
 *     };
 *   },
 * });
 * @throws OptionError naming what is missing or wrong in the definition
 */
export function defineMetric<T, const Name extends string>(definition: Metric<T, Name>): Metric<T, Name> {
  const where = "defineMetric";
  if (!isPlainObject(definition)) {
    throw new OptionError(`${where}: expected a definition of a metric, got ${show(definition)}`);
  }
  checkOptions(where, definition, ["name", "minColumns", "start"]);
  checkName(where, definition["name"]);
  checkFunctions(where, definition, ["start"]);
  const { name, minColumns = 1 } = definition;
  return {
    name,
    minColumns: positiveInteger(`${where}: ${name}: minColumns`, minColumns),
    start: (columns) => definition.start(columns),
  };
}
