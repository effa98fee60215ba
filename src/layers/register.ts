/** The kinds of layer that model files may contain: those of the package, and those that users registered. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import type { Layer } from "./contract.ts";
import * as layers from "./index.ts";

/** Makes a layer again from its name and its options in a file. */
export type RegisteredFactory = (config: never) => Layer;

const registered = new Map<string, RegisteredFactory>();

/**
 * Registers a kind of layer so that `loadModel` can make its layers again. `factory` is called with the options that
 * `toSafetensors` wrote, including the name; `defineLayer` returns such a factory.
 *
 * @example registerLayer("scale", scale);
 * @throws OptionError when `type` is a layer of the package, or registered with another factory
 */
export function registerLayer(type: string, factory: RegisteredFactory): void {
  if (typeof type !== "string" || type.length === 0) {
    throw new OptionError(`registerLayer: type: expected the name of a kind of layer, got ${show(type)}`);
  }
  if (typeof factory !== "function") {
    throw new OptionError(
      `registerLayer: ${type}: expected a function that makes the layer, got ${show(factory)}`,
    );
  }
  if (Object.hasOwn(layers, type)) {
    throw new OptionError(`registerLayer: type: expected a name that is none of layers.*, got ${show(type)}`);
  }
  const before = registered.get(type);
  if (before && before !== factory) {
    throw new OptionError(
      `registerLayer: ${type}: expected the factory that it was registered with, got another one`,
    );
  }
  registered.set(type, factory);
}

/** The factories of all layers, by type. */
export function factories(): ReadonlyMap<string, RegisteredFactory> {
  return new Map<string, RegisteredFactory>([...Object.entries(layers), ...registered]);
}
