/** What the definitions of layers, losses, optimizers and activations of users have in common. */
import { OptionError } from "./errors.ts";
import { checkOptions, copyJson, isPlainObject, show } from "./options.ts";

/** The part of a definition that all kinds of parts have. */
export interface Definition<Config extends object> {
  /** The name of the kind in files, summaries and messages. */
  readonly type: string;
  /**
   * The options with their defaults, as JSON; options that are not among them are refused. Or a function that checks the
   * options of a user and fills in the defaults.
   */
  readonly config?: Config | ((options: Partial<Config>) => Config);
}

/** @throws OptionError naming `where`, a function such as `defineLayer`, unless the type and the options can be those of a definition */
export function checkDefinition(
  where: string,
  what: string,
  definition: unknown,
): asserts definition is Record<string, unknown> {
  if (!isPlainObject(definition)) {
    throw new OptionError(`${where}: expected a definition of ${what}, got ${show(definition)}`);
  }
  const { type, config = {} } = definition;
  if (typeof type !== "string" || !/^[A-Za-z][\w.-]*$/.test(type)) {
    throw new OptionError(
      `${where}: type: expected a letter, then letters, digits, "_", "." and "-", got ${show(type)}`,
    );
  }
  if (!isPlainObject(config) && typeof config !== "function") {
    throw new OptionError(
      `${where}: ${type}: config: expected options with their defaults, or a function that fills them in, got ${show(config)}`,
    );
  }
}

/** @throws OptionError unless these properties of a definition are functions */
export function checkFunctions(
  where: string,
  definition: Record<string, unknown>,
  names: readonly string[],
): void {
  const name = names.find((each) => typeof definition[each] !== "function");
  if (name === undefined) return;
  const type = String(definition["type"] ?? definition["name"]);
  throw new OptionError(`${where}: ${type}: ${name}: expected a function, got ${show(definition[name])}`);
}

/** A copy of the options, with the defaults for those that are left out; the options `besides` are left to others. */
export function configOf<Config extends object>(
  { type, config = {} as Config }: Definition<Config>,
  options: Partial<Config>,
  besides: readonly string[] = [],
): Config {
  if (typeof config === "function") return copyJson(type, config(options));
  checkOptions(type, options, [...Object.keys(config), ...besides]);
  const present = Object.entries(options).filter(([, value]) => value !== undefined);
  return copyJson(type, { ...config, ...(Object.fromEntries(present) as Partial<Config>) });
}
