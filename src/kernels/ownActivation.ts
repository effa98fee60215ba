/** Activations of users, on plain arrays, and those that files may name. */
import { checkDefinition, checkFunctions } from "../definition.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { ACTIVATION } from "./kernels.ts";

/** What an activation computes from and fills in. The arrays are views of linear memory, which are valid only during the call. */
export interface ActivationViews {
  /** The numbers before the activation and after it, image after image; they never share memory. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** The size of the last axis. */
  readonly columns: number;
}

export interface ActivationDefinition {
  /** The name in files and messages, which is none of the package's activations. */
  readonly type: string;
  /** Fills in `y`. */
  forward(views: ActivationViews): void;
  /** Fills in `dx`, the gradient of `x`, from `dy`, that of `y`; they never share memory. */
  backward(views: ActivationViews & { readonly dy: Float32Array; readonly dx: Float32Array }): void;
}

const registered = new Map<string, OwnActivation>();

/** What `defineActivation` returns. In JSON it is its name. */
export class OwnActivation {
  readonly type: string;
  readonly forward: ActivationDefinition["forward"];
  readonly backward: ActivationDefinition["backward"];
  /** @throws OptionError unless it is registered, without which a file could not be read again */
  readonly toJSON: () => string;

  /** Users call `defineActivation` instead. */
  constructor({ type, forward, backward }: ActivationDefinition, toJSON: () => string) {
    this.type = type;
    this.forward = forward;
    this.backward = backward;
    this.toJSON = toJSON;
  }
}

/**
 * Makes an activation, which layers take as they take the package's: `layers.dense({ units, activation: cube })`.
 *
 * @example
 * const cube = defineActivation({
 *   type: "cube",
 *   forward: ({ x, y }) => x.forEach((value, i) => (y[i] = value * value * value)),
 *   backward: ({ x, dy, dx }) => x.forEach((value, i) => (dx[i] = 3 * value * value * dy[i]!)),
 * });
 * @throws OptionError naming what is missing or wrong in the definition
 */
export function defineActivation(definition: ActivationDefinition): OwnActivation {
  const where = "defineActivation";
  checkDefinition(where, "an activation", definition);
  checkOptions(where, definition, ["type", "forward", "backward"]);
  checkFunctions(where, definition, ["forward", "backward"]);
  if (Object.hasOwn(ACTIVATION, definition.type)) {
    throw new OptionError(
      `${where}: type: expected a name that the package has not, got ${show(definition.type)}`,
    );
  }
  const { type } = definition;
  const own = new OwnActivation(definition, () => {
    if (registered.get(type) === own) return type;
    throw new OptionError(
      `activation: ${type}: expected one that registerActivation() knows, since loadModel could not make it again`,
    );
  });
  return own;
}

/**
 * Registers an activation, so that models with it can be saved, and loaded again.
 * @throws OptionError when another one of its name is registered
 */
export function registerActivation(activation: OwnActivation): void {
  if (!(activation instanceof OwnActivation)) {
    throw new OptionError(
      `registerActivation: expected what defineActivation() returns, got ${show(activation)}`,
    );
  }
  const before = registered.get(activation.type) ?? activation;
  if (before !== activation) {
    throw new OptionError(`registerActivation: ${activation.type}: expected it once, got another one`);
  }
  registered.set(activation.type, activation);
}

/** The activation of a user that is meant, by itself or by a name that is registered. */
export function ownActivation(activation: unknown): OwnActivation | undefined {
  return activation instanceof OwnActivation ? activation : registered.get(activation as string);
}
